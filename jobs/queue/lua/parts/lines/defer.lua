-- defer: sets jobs aside in `delayed` until they are due.

-- Each millisecond of `delayed` has a band for each priority, 9 first, and each band this many places in the order of asking.
-- A score has room for 2,048 fractions of a millisecond until the year 2109.
local BAND, STEP = 204, 1 / 2048

-- The first free place of a job due at `due_ms`; in a later millisecond when the band is full.
local function next_place(priority, due_ms)
  local first = due_ms + (9 - priority) * BAND * STEP
  local beyond = string.format('(%.17g', first + BAND * STEP)
  local last = redis.call('ZRANGE', delayed, beyond, first, 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')[2]
  local place = last and tonumber(last) + STEP or first
  if place < first + BAND * STEP then return place end
  return next_place(priority, due_ms + 1)
end

-- A member of `delayed` is priority and id, so that promotion keeps the priority.
local function defer(id, priority, due_ms)
  redis.call('ZREM', delayed, priority .. id)
  redis.call('ZADD', delayed, next_place(priority, due_ms), priority .. id)
end

-- A job is due from the beginning of its millisecond.
local function next_due_ms()
  local head = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  return head[2] and math.floor(tonumber(head[2])) or -1
end
