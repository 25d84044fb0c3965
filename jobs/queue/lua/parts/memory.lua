-- memory: whether Redis holds more than the budget. INFO costs some 30 us, so its answer serves for 50 ms.
local function memory_is_full(budget)
  if budget == 0 then return false end
  local at = now_ms()
  local checked = redis.call('HMGET', key('meta'), 'memoryAt', 'memory')
  if checked[1] and at - checked[1] < 50 and at >= tonumber(checked[1]) then
    return tonumber(checked[2]) > budget
  end
  local used = tonumber(string.match(redis.call('INFO', 'memory'), 'used_memory:(%d+)'))
  redis.call('HSET', key('meta'), 'memoryAt', at, 'memory', used)
  return used > budget
end
