-- timers: workers sleep until the next due time they know. An earlier one is sent to the four workers with the latest lease
-- deadlines, so that one wakes in time even if others are dead.
local function tell_timers(due_ms)
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, 3, 'REV')) do
    redis.pcall('RPUSH', key('inbox:' .. worker), 't' .. due_ms)
  end
end
