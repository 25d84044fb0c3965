-- serve: the queues a worker serves are those it has registered last; what it names in a round may be older.

local function is_among(queue, registered)
  return string.find(',' .. registered .. ',', ',' .. queue .. ',', 1, true) ~= nil
end

-- Those of the queues that the worker has not cancelled since. Usually that is all of them.
local function still_served(queues, registered)
  if not registered or table.concat(queues, ',') == registered then return queues end
  local served = {}
  for _, queue in ipairs(queues) do
    if is_among(queue, registered) then served[#served + 1] = queue end
  end
  return served
end

-- Nothing of a queue that is no longer among them is handed over from here on.
local function register_queues(worker, registered)
  local before = redis.call('HGET', key('replies:' .. worker), 'queues') or ''
  for queue in string.gmatch(before, '[^,]+') do
    if not is_among(queue, registered) then redis.pcall('ZREM', key('idle:' .. queue), worker) end
  end
  redis.call('HSET', key('replies:' .. worker), 'queues', registered)
end
