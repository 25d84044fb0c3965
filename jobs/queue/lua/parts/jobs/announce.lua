-- announce: adds one stream entry for a batch of ended jobs, for callers that wait; the stream keeps the last 256 or so.
local function announce(state, ids)
  if #ids == 0 then return end
  redis.call('XADD', key('events'), 'MAXLEN', '~', 256, '*', state, table.concat(ids, ','))
end
