-- idle: a worker with free slots and empty lines registers once for each of its queues; `free` says how many jobs it takes.
-- Without free slots only `free` is cleared: entries of `idle:<queue>` without slots are dropped by whoever meets them.
local function register_idle(worker, queues, slots, at)
  if slots <= 0 then
    redis.call('HDEL', key('free'), worker)
    return
  end
  redis.call('HSET', key('free'), worker, slots)
  for _, queue in ipairs(queues) do
    redis.call('ZADD', key('idle:' .. queue), at, worker)
  end
end

-- For a worker that stops or died: its entries go at once.
local function unregister_idle(worker)
  redis.call('HDEL', key('free'), worker)
  local queues = try('', 'HGET', key('replies:' .. worker), 'queues') or ''
  for queue in string.gmatch(queues, '[^,]+') do
    redis.pcall('ZREM', key('idle:' .. queue), worker)
  end
end
