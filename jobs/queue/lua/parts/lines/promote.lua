-- promote: moves due jobs from `delayed` into their lines, at most `limit` and as many as `ration` reads at once, so that no
-- call runs long. The others stay due. Jobs due in the same millisecond come by priority, then in the order of asking.
local function promote(at, limit)
  local due = redis.call('ZRANGE', delayed, '-inf', '(' .. at + 1, 'BYSCORE', 'LIMIT', 0, limit)
  if #due == 0 then return 0 end
  local ids = {}
  for i, member in ipairs(due) do
    ids[i] = string.sub(member, 2)
  end
  local records = read_records(ids)
  redis.call('ZREM', delayed, unpack(due, 1, #records))
  for i, record in ipairs(records) do
    local queue = record and line_of(record)
    if queue then
      place_one(queue, string.sub(due[i], 1, 1), ids[i], record)
    elseif record then
      bury_corrupt(ids[i], record, at)
    end
  end
  return #records
end
