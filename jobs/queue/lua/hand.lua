-- hand: gives jobs to idle workers that serve their queue: leased, and in the inbox each of them blocks on.

-- Added to the score of a worker that was given jobs, in ms: far behind those who wait.
local LAST_IN_TURN = 1e9

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

-- How many of the jobs come before the first that has an expiry (its record begins with an `e`): only a claim judges that,
-- by the clock of Redis at the time.
local function count_before_expiry(ids, record_of)
  for i = 1, #ids do
    if string.byte(record_of(i)) == 101 then return i - 1 end
  end
  return #ids
end

-- Has one worker look for jobs in line. Until it does it is idle no longer: what comes meanwhile goes into line behind.
local function send_to_line(worker, idle)
  redis.call('RPUSH', key('inbox:' .. worker), 'c')
  redis.call('HDEL', key('free'), worker)
  redis.call('ZREM', idle, worker)
end

-- Shares the jobs out among the idle workers of a queue, the longest idle first. Returns how many were handed out; of
-- those that must go into line instead, one more worker is told for each.
local function hand_out(queue, ids, record_of)
  local idle = key('idle:' .. queue)
  local waiting = redis.call('ZCARD', idle)
  if waiting == 0 or redis.call('SISMEMBER', key('paused'), queue) == 1 then return 0 end
  local handable, done, share = count_before_expiry(ids, record_of), 0, math.ceil(#ids / waiting)
  while done < #ids do
    local worker = redis.call('ZRANGE', idle, 0, 0)[1]
    if not worker then break end
    local free = tonumber(redis.call('HGET', key('free'), worker) or '0')
    if free <= 0 then
      redis.call('ZREM', idle, worker)
    elseif done < handable then
      done = done + hand_to(worker, free, math.min(share, handable - done), ids, record_of, done + 1)
      redis.call('ZADD', idle, 'INCR', LAST_IN_TURN, worker)
    else
      send_to_line(worker, idle)
      done = done + 1
    end
  end
  return math.min(done, handable)
end
