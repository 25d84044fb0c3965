-- timers: workers sleep until the next due time they know; a new, earlier one is told to the four seen last,
-- so that it is met in time even if some of them are gone.
local function tell_timers(due_ms)
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, 3, 'REV')) do
    redis.pcall('RPUSH', key('inbox:' .. worker), 't' .. due_ms)
  end
end
