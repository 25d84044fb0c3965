-- serve: a worker serves the queues it registered last; the queues named in a round may be older.

local function is_among(queue, registered)
  return string.find(',' .. registered .. ',', ',' .. queue .. ',', 1, true) ~= nil
end

-- Returns the queues that the worker has not cancelled since, usually all of them.
local function still_served(queues, registered)
  if not registered or table.concat(queues, ',') == registered then return queues end
  local served = {}
  for _, queue in ipairs(queues) do
    if is_among(queue, registered) then served[#served + 1] = queue end
  end
  return served
end

-- After this, no job of an unregistered queue is handed over to the worker.
local function register_queues(worker, registered)
  local before = redis.call('HGET', key('replies:' .. worker), 'queues') or ''
  for queue in string.gmatch(before, '[^,]+') do
    if not is_among(queue, registered) then redis.pcall('ZREM', key('idle:' .. queue), worker) end
  end
  redis.call('HSET', key('replies:' .. worker), 'queues', registered)
end
