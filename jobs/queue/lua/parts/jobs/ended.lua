-- ended: an id among those of finished jobs (`done`), and taking it out of there.

-- The oldest batches count so many ids fewer: what ended later stays for its time, and some of the old a little longer.
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

-- The place of an id as `places` takes it, or nil. Of several ends the last one counts.
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
