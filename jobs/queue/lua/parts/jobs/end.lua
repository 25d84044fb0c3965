-- end: takes a job out of whatever state it is in, for verbs that come from outside its worker.

-- The worker that leases a job, if one does: a look at each of the few workers of a shard.
local function holder_of(id)
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    if try(0, 'SISMEMBER', key('lease:' .. worker), id) == 1 then return worker end
  end
end

-- Ends an unfinished job as revoked. Its place in a line stays, as finding it would take a scan: a claim drops it there,
-- and only then may retention drop the record, or the id could stand in line twice. Without a lease, whatever its worker
-- still says of it is refused.
local function end_as_revoked(id, record, reason, at)
  local _, priority = line_of(record)
  local worker, waits = holder_of(id), false
  if worker then
    redis.call('SREM', key('lease:' .. worker), id)
    redis.pcall('RPUSH', key('inbox:' .. worker), 'r' .. id)
  else
    waits = redis.call('ZREM', delayed, (priority or '') .. id) == 0
  end
  redis.call('HSET', jobs, id, 'x1' .. reason .. '\n' .. record)
  redis.call('HDEL', counts, id)
  redis.call('HDEL', key('progress'), id)
  if not waits then retain({ id }, #record, at) end
end
