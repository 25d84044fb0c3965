-- end: ends a job in any unfinished state, for calls that do not come from its worker.

-- Returns the worker that leases a job, or nil. Checks every worker, as a shard has few.
local function holder_of(id)
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    if try(0, 'SISMEMBER', key('lease:' .. worker), id) == 1 then return worker end
  end
end

-- Ends an unfinished job as revoked. Its id stays in its line, as finding it would take a scan: a claim drops the id, and only
-- then may retention drop the record, or the id could be in line twice. Its worker loses the lease, so `step` refuses its
-- settlement.
local function end_as_revoked(id, record, reason, at)
  local _, priority = line_of(record)
  local worker, waits = holder_of(id), false
  if worker then
    redis.call('SREM', key('lease:' .. worker), id)
    redis.pcall('RPUSH', key('inbox:' .. worker), 'r' .. id)
  else
    waits = redis.call('ZREM', delayed, (priority or '') .. id) == 0
  end
  redis.call('HSET', jobs, id, 'x1' .. with_attempts(reason, id) .. '\n' .. record)
  redis.call('HDEL', counts, id)
  redis.call('HDEL', key('progress'), id)
  if not waits then retain({ id }, #record, at) end
end
