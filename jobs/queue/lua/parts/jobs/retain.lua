-- retain: keeps finished jobs in order and drops the oldest batches beyond the limits in `meta`.
-- A mark is "ms:count:bytes" for one batch; whole batches are dropped, at most `PRUNE_MARKS` a call. Only age drops the newest
-- batch, however large it is, so that callers can read its results.
local PRUNE_MARKS = 4

local function prune(at)
  local limits = redis.call('HMGET', key('meta'), 'keepCount', 'keepMs', 'keepBytes')
  local keep_count, keep_ms, keep_bytes = tonumber(limits[1]), tonumber(limits[2]), tonumber(limits[3])
  if not keep_count then return end
  for _ = 1, PRUNE_MARKS do
    local oldest = redis.call('LRANGE', key('marks'), 0, 1)
    if not oldest[1] then return end
    local ms, count, bytes = string.match(oldest[1], '^(%d+):(%d+):(%d+)$')
    local kept_bytes = tonumber(redis.call('GET', key('doneBytes')) or '0')
    local too_many = redis.call('LLEN', key('done')) > keep_count or kept_bytes > keep_bytes
    if ms + keep_ms > at and not (too_many and oldest[2]) then return end
    redis.call('LPOP', key('marks'))
    redis.call('DECRBY', key('doneBytes'), bytes)
    local ids = redis.call('LPOP', key('done'), count)
    if ids then redis.call('HDEL', jobs, unpack(ids)) end
  end
end

local function retain(ids, bytes, at)
  redis.call('RPUSH', key('done'), unpack(ids))
  redis.call('RPUSH', key('marks'), string.format('%d:%d:%d', at, #ids, bytes))
  redis.call('INCRBY', key('doneBytes'), bytes)
  prune(at)
end
