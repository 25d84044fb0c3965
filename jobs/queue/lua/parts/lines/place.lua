-- place: hands jobs to idle workers that serve the queue, or puts them in line.
-- Every job that enters a line comes through here, so no job waits while a worker is registered as idle: either the job is
-- handed over, or a worker is told to claim.

-- When the key of a line is of a wrong type, its jobs wait in `delayed` for this long before another try.
local BROKEN_LINE_MS = 1000

-- `record_of(i)` gives the record of the i-th id; `front` puts the jobs at the head of the line instead of its end.
local function place(queue, priority, ids, record_of, front)
  local given = hand_out(queue, ids, record_of)
  if given == #ids then return end
  local push = front and 'LPUSH' or 'RPUSH'
  if try(false, push, key('wait:' .. queue .. ':' .. priority), unpack(ids, given + 1)) then return end
  local due_ms = now_ms() + BROKEN_LINE_MS
  for i = given + 1, #ids do defer(ids[i], priority, due_ms) end
  tell_timers(due_ms)
end

local function place_one(queue, priority, id, record, front)
  place(queue, priority, { id }, function() return record end, front)
end

-- Returns a job to the head of its line. Returns false when the job no longer exists or has ended.
local function return_to_line(id, at)
  local record = redis.call('HGET', jobs, id)
  local queue, priority = line_of(record or '')
  if queue then
    place_one(queue, priority, id, record, true)
    return true
  end
  local kind = record and string.sub(record, 1, 2)
  if record and kind ~= 'r1' and kind ~= 'f1' and kind ~= 'x1' then bury_corrupt(id, record, at) end
  return false
end
