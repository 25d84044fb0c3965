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

-- Shares the jobs out among the idle workers of a queue, the longest idle first. Returns how many were handed out.
local function hand_out(queue, ids, record_of)
  local idle = key('idle:' .. queue)
  local waiting = redis.call('ZCARD', idle)
  if waiting == 0 or redis.call('SISMEMBER', key('paused'), queue) == 1 then
    return 0
  end
  local given, share = 0, math.ceil(#ids / waiting)
  while given < #ids do
    local worker = redis.call('ZRANGE', idle, 0, 0)[1]
    if not worker then break end
    local free = tonumber(redis.call('HGET', key('free'), worker) or '0')
    if free <= 0 then
      redis.call('ZREM', idle, worker)
    else
      given = given + hand_to(worker, free, math.min(share, #ids - given), ids, record_of, given + 1)
      redis.call('ZADD', idle, 'INCR', LAST_IN_TURN, worker)
    end
  end
  return given
end
