-- hand: leases jobs to one idle worker and puts them into the inbox it blocks on.

local MAX_HANDED_BYTES = 32 * 1024

-- Hands up to `limit` of the ids from `first` on to one worker. Returns how many.
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

-- Counts the jobs before the first that a worker must claim: a job with an expiry (its record begins with an `e`), which only a
-- claim checks, against Redis's clock at that time; or a large job, as a worker reads a hundred messages at once.
local function count_handable(ids, record_of)
  for i = 1, #ids do
    local record = record_of(i)
    if string.byte(record) == 101 or #record > MAX_HANDED_BYTES then return i - 1 end
  end
  return #ids
end

-- Returns how many jobs a worker takes; 0 when one of its keys is of a wrong type.
local function room_of(worker)
  local free = tonumber(redis.call('HGET', key('free'), worker) or '0')
  local is_sound = free > 0 and try(false, 'SCARD', key('lease:' .. worker)) and try(false, 'LLEN', key('inbox:' .. worker))
  return is_sound and free or 0
end
