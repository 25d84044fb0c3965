-- reschedule: changes the due time of a job that is not due yet.
-- ARGV[2]  see `once`   ARGV[3] id   ARGV[4] delay in ms from now
-- ARGV[5]  ms from now until it expires, for a job that has an expiry; not given: unchanged
-- returns  rescheduled, or not_scheduled when it is in line, running, ended or unknown
return once(function()
  local id, at = ARGV[3], now_ms()
  local record = redis.call('HGET', jobs, id) or ''
  local _, priority = line_of(record)
  if not priority or not redis.call('ZSCORE', delayed, priority .. id) then return 'not_scheduled' end
  local due_before = next_due_ms()
  defer(id, priority, at + tonumber(ARGV[4]))
  if ARGV[5] then
    local expiry = string.format('%%1%.0f', at + tonumber(ARGV[5]))
    redis.call('HSET', jobs, id, (string.gsub(record, '^(e1{"q":"[%w_.-]+","p":%d,"x":)%d+', expiry, 1)))
  end
  if next_due_ms() < due_before then tell_timers(next_due_ms()) end
  return 'rescheduled'
end)
