-- promote: moves delayed jobs that are due into line, at most `limit` of them, so that no call runs long.
local function promote(at, limit)
  local due = redis.call('ZRANGE', delayed, '-inf', at, 'BYSCORE', 'LIMIT', 0, limit)
  if #due == 0 then return 0 end
  local ids = {}
  for i, member in ipairs(due) do
    ids[i] = string.sub(member, 2)
  end
  local records = redis.call('HMGET', jobs, unpack(ids))
  redis.call('ZREM', delayed, unpack(due))
  for i, id in ipairs(ids) do
    local queue = records[i] and line_of(records[i])
    if queue then
      place_one(queue, string.sub(due[i], 1, 1), id, records[i])
    elseif records[i] then
      bury_corrupt(id, records[i], at)
    end
  end
  return #due
end
