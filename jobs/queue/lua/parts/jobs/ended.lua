-- ended: finds an id among the finished jobs (`done`) and removes it.

-- Subtracts removed ids from the oldest batches: later jobs are kept for their time, and some old ones a little longer.
local function uncount(times)
  while times > 0 do
    local oldest = redis.call('LPOP', key('marks'))
    if not oldest then return end
    local ms, count, bytes = string.match(oldest, '^(%d+):(%d+):(%d+)$')
    if tonumber(count) > times then
      redis.call('LPUSH', key('marks'), string.format('%d:%d:%d', ms, count - times, bytes))
      return
    end
    redis.call('DECRBY', key('doneBytes'), bytes)
    times = times - count
  end
end

-- Returns the place of an id in the form `places` uses, or nil. If an id occurs several times, `thin` keeps the last.
local function place_among_ended(id)
  local done = key('done')
  local times = #redis.call('LPOS', done, id, 'COUNT', 0)
  if times == 0 then return nil end
  return {
    name = 'done',
    extra = times > 1,
    thin = function() uncount(redis.call('LREM', done, times - 1, id)) end,
    drop = function() uncount(redis.call('LREM', done, 0, id)) end,
  }
end
