-- pause: pauses or resumes a queue. Workers do not claim from a paused queue; producers can add jobs, and running jobs continue.
-- ARGV[2]  see `once`   ARGV[3] queue   ARGV[4] 1 to pause, 0 to resume
-- returns  1 if that changed anything
local queue = ARGV[3]

local function pause()
  return redis.call('SADD', key('paused'), queue)
end

-- Idle workers have not tried to claim since the pause.
local function resume()
  local changed, idle = redis.call('SREM', key('paused'), queue), key('idle:' .. queue)
  for _, worker in ipairs(try({}, 'ZRANGE', idle, 0, -1)) do
    if redis.call('ZSCORE', workers, worker) then send_to_line(worker, idle) end
  end
  return changed
end

return once(ARGV[4] == '1' and pause or resume)
