-- enqueue: adds many jobs to their lines or, with a delay, to `delayed`. A conflict of one job does not affect the others.
-- ARGV[2]  and on: groups: queue, priority, delay ms, ms until expiry or empty, number of jobs, then id and record of each
-- returns  one word per job, in order: added, exists (same id, task and payload), conflict (same id, another job);
--          an empty list when every job was added
-- errors   OOM Redis is out of memory, nothing was added; WRONGTYPE a key it would write to is of another type, nothing was added
local words, is_delayed = {}, false

local function for_each_group(work)
  local cursor = 2
  while cursor <= #ARGV do
    local count = tonumber(ARGV[cursor + 4])
    local line = { queue = ARGV[cursor], priority = ARGV[cursor + 1] }
    work(cursor + 5, count, line, tonumber(ARGV[cursor + 2]), tonumber(ARGV[cursor + 3]))
    cursor = cursor + 5 + 2 * count
  end
end

-- The script writes the expiry into the records by Redis's clock, as the producer's may be wrong.
local function write_expiry(from, count, expires_ms)
  local expiry = string.format('%%1,"x":%.0f,', now_ms() + expires_ms)
  for i = from + 1, from + 2 * count - 1, 2 do
    ARGV[i] = string.gsub(ARGV[i], '^(e1{"q":"[%w_.-]+","p":%d),', expiry, 1)
  end
end

assert_types({ 'SCARD', 'queues' })
for_each_group(function(_, _, line, delay_ms)
  is_delayed = is_delayed or delay_ms > 0
  assert_types_of_line(line.queue, line.priority)
end)
if is_delayed then assert_types({ 'ZCARD', 'workers' }) end
-- Only delayed jobs need the clock and the due times.
local at, due_before = is_delayed and now_ms(), is_delayed and next_due_ms()

local all_new = true
for_each_group(function(from, count, line, delay_ms, expires_ms)
  if expires_ms then write_expiry(from, count, expires_ms) end
  local fresh, record_of = store(from, count, words)
  all_new = all_new and #fresh == count
  if #fresh == 0 then return end
  redis.call('SADD', key('queues'), line.queue)
  if delay_ms <= 0 then return place(line.queue, line.priority, fresh, record_of) end
  for _, id in ipairs(fresh) do defer(id, line.priority, at + delay_ms) end
end)

if is_delayed then
  local due = next_due_ms()
  if due >= 0 and (due_before < 0 or due < due_before) then tell_timers(due) end
end
return all_new and {} or words
