-- complete: ends leased jobs with a result, which replaces the job record.

-- `count` pairs of id and result record from ARGV[from] on. `marks` lets retention drop whole batches later. Usually the
-- worker holds all of them, and one HSET takes the arguments as they came.
local function succeed(lease, from, count, at, lost)
  local entries = held_entries(lease, from, count, 2, lost)
  if #entries == 0 then return entries end
  local ids, bytes = {}, 0
  for i, entry in ipairs(entries) do
    ids[i] = ARGV[entry]
    bytes = bytes + #ARGV[entry + 1]
  end
  if #ids == count then
    redis.call('HSET', jobs, unpack(ARGV, from, from + 2 * count - 1))
  else
    for _, entry in ipairs(entries) do redis.call('HSET', jobs, ARGV[entry], ARGV[entry + 1]) end
  end
  redis.call('SREM', lease, unpack(ids))
  retain(ids, bytes, at)
  forget(ids)
  return ids
end
