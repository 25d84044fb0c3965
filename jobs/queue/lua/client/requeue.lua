-- requeue: puts dead letters at the end of their lines, with no failures charged.
-- ARGV[2]  see `once`
-- then     ids
-- returns  one word each: requeued, not_failed
local function requeue(id)
  local record = redis.call('ZSCORE', key('failed'), id) and redis.call('HGET', jobs, id)
  local job = record and string.match(record, '^f1[^\n]*\n(.*)$')
  local queue, priority = line_of(job or '')
  if not queue then return 'not_failed' end
  redis.call('ZREM', key('failed'), id)
  redis.call('HSET', jobs, id, job)
  redis.call('HDEL', counts, id)
  place_one(queue, priority, id, job)
  return 'requeued'
end

return once(function()
  local words = {}
  for i = 3, #ARGV do words[#words + 1] = requeue(ARGV[i]) end
  return words
end)
