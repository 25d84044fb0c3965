-- give_back: ends leases without a result: the job returns to its line, or becomes a dead letter.

-- Entries: id, delay in ms, new counts (empty: unchanged). A job without a delay goes to the head of its line; those are
-- returned backwards, so that the jobs keep the given order there.
local function put_back(lease, entries, at)
  local at_once = {}
  for _, entry in ipairs(entries) do
    local id, delay_ms, count_text = ARGV[entry], tonumber(ARGV[entry + 1]), ARGV[entry + 2]
    local _, priority = line_of(redis.call('HGET', jobs, id) or '')
    redis.call('SREM', lease, id)
    if priority and count_text ~= '' then redis.call('HSET', counts, id, count_text) end
    if priority and delay_ms > 0 then
      defer(id, priority, at + delay_ms)
    else
      at_once[#at_once + 1] = id
    end
  end
  for i = #at_once, 1, -1 do return_to_line(at_once[i], at) end
end

-- Entries: id, reason as one line of JSON. The job record is kept after the reason, so that the job can be requeued.
local function fail(lease, entries, at)
  local ids = {}
  for i, entry in ipairs(entries) do
    local id = ARGV[entry]
    ids[i] = id
    redis.call('SREM', lease, id)
    redis.call('HSET', jobs, id, 'f1' .. ARGV[entry + 1] .. '\n' .. (redis.call('HGET', jobs, id) or ''))
    redis.call('ZADD', key('failed'), at, id)
  end
  if #ids > 0 then
    forget(ids)
    expire_failed(at)
  end
  return ids
end
