-- remove: deletes jobs that wait in one place, dead letters or delayed jobs.
-- ARGV[2]  see `once`   ARGV[3] failed or delayed
-- then     ids
-- returns  one word each: removed, elsewhere (in another place, or unknown)
local place = ARGV[3]

local function remove(id)
  local record = redis.call('HGET', jobs, id) or ''
  local _, priority = line_of(record)
  local member = place == 'failed' and id or (priority or '') .. id
  if redis.call('ZREM', key(place), member) == 0 then return 'elsewhere' end
  redis.call('HDEL', jobs, id)
  redis.call('HDEL', counts, id)
  redis.call('HDEL', key('progress'), id)
  return 'removed'
end

return once(function()
  local words = {}
  for i = 4, #ARGV do words[#words + 1] = remove(ARGV[i]) end
  return words
end)
