-- expire_failed: drops dead letters beyond the limits in `meta`, the oldest first, a few at a time.
local EXPIRED_PER_CALL = 20
-- Ms for which the number does not matter: the application may not have recorded the failure yet.
local FRESH_MS = 600000

local function expire_failed(at)
  local limits = redis.call('HMGET', key('meta'), 'failedCount', 'failedMs')
  local most, keep_ms = tonumber(limits[1]), tonumber(limits[2])
  if not most then return end
  local function older_than(ms, limit)
    return redis.call('ZRANGE', key('failed'), '-inf', at - ms, 'BYSCORE', 'LIMIT', 0, limit)
  end
  local ids = older_than(keep_ms, EXPIRED_PER_CALL)
  local surplus = redis.call('ZCARD', key('failed')) - most
  if #ids == 0 and surplus > 0 then ids = older_than(FRESH_MS, math.min(surplus, EXPIRED_PER_CALL)) end
  if #ids == 0 then return end
  redis.call('ZREM', key('failed'), unpack(ids))
  redis.call('HDEL', jobs, unpack(ids))
end
