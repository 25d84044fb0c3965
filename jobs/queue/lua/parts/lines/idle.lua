-- idle: registers a worker with free slots and empty lines for each of its queues; `free` holds how many jobs it takes.
-- Without free slots only `free` is cleared: `share` drops the worker's entries in `idle:<queue>` when it meets them.
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

-- Removes the entries of a stopped or dead worker at once.
local function unregister_idle(worker)
  redis.call('HDEL', key('free'), worker)
  local queues = try('', 'HGET', key('replies:' .. worker), 'queues') or ''
  for queue in string.gmatch(queues, '[^,]+') do
    redis.pcall('ZREM', key('idle:' .. queue), worker)
  end
end
