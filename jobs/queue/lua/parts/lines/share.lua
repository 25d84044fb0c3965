-- share: shares jobs out among the idle workers that serve their queue.

-- Ms added to the score of a worker that was given jobs, so that it comes after all workers that wait.
local LAST_IN_TURN = 1e9

-- Tells one worker to claim. Until it does, it is not idle, so that later jobs go into line behind the present ones.
local function send_to_line(worker, idle)
  redis.pcall('RPUSH', key('inbox:' .. worker), 'c')
  redis.call('HDEL', key('free'), worker)
  redis.call('ZREM', idle, worker)
end

-- Shares the jobs out among the idle workers of a queue, the longest idle first. Returns how many were handed out. For each
-- job that must go into line instead, one more worker is told to claim.
local function hand_out(queue, ids, record_of)
  local idle = key('idle:' .. queue)
  local waiting = try(0, 'ZCARD', idle)
  if waiting == 0 or redis.call('SISMEMBER', key('paused'), queue) == 1 then return 0 end
  local handable, done, share = count_handable(ids, record_of), 0, math.ceil(#ids / waiting)
  while done < #ids do
    local worker = redis.call('ZRANGE', idle, 0, 0)[1]
    if not worker then break end
    local free = room_of(worker)
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
