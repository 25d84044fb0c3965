-- complete: a worker has the result of jobs it leases. The result takes the place of the job.

-- `count` pairs of id and result record from ARGV[from] on. The record replaces the job; `marks` lets retention drop whole
-- batches later. Usually all are held, and HSET takes them as they came.
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
