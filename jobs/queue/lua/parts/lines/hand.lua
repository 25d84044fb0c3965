-- hand: gives jobs to one idle worker: leased, and in the inbox it blocks on.

-- Longest record that is handed over.
local MAX_HANDED_BYTES = 32 * 1024

-- Leases up to `limit` of the ids from `first` on to one worker and drops them into its inbox. Returns how many.
local function hand_to(worker, free, limit, ids, record_of, first)
  local count = math.min(free, limit)
  local messages, sparse = {}, redis.call('HLEN', counts) > 0
  for i = 1, count do
    local id = ids[first + i - 1]
    local count_text = sparse and redis.call('HGET', counts, id) or ''
    messages[i] = 'j' .. id .. count_text .. '\n' .. record_of(first + i - 1)
  end
  redis.call('SADD', key('lease:' .. worker), unpack(ids, first, first + count - 1))
  redis.call('RPUSH', key('inbox:' .. worker), unpack(messages))
  redis.call('HSET', key('free'), worker, free - count)
  return count
end

-- How many of the jobs come before the first that must be claimed: one that has an expiry (its record begins with an `e`),
-- as only a claim judges that, by the clock of Redis at the time; or a large one, as a hundred of them are read at once.
local function count_handable(ids, record_of)
  for i = 1, #ids do
    local record = record_of(i)
    if string.byte(record) == 101 or #record > MAX_HANDED_BYTES then return i - 1 end
  end
  return #ids
end

-- How many jobs a worker takes; none when it cannot get them, as a key of its own is of a wrong type.
local function room_of(worker)
  local free = tonumber(redis.call('HGET', key('free'), worker) or '0')
  local is_sound = free > 0 and try(false, 'SCARD', key('lease:' .. worker)) and try(false, 'LLEN', key('inbox:' .. worker))
  return is_sound and free or 0
end
