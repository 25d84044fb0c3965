-- pause: a paused queue takes jobs and gives none; what runs goes on.
-- ARGV[2]  see `once`   ARGV[3] queue   ARGV[4] 1 to pause, 0 to resume
-- returns  1 if that changed anything
local queue = ARGV[3]

local function pause()
  return redis.call('SADD', key('paused'), queue)
end

-- Idle workers have not looked since.
local function resume()
  local changed, idle = redis.call('SREM', key('paused'), queue), key('idle:' .. queue)
  for _, worker in ipairs(try({}, 'ZRANGE', idle, 0, -1)) do
    if redis.call('ZSCORE', workers, worker) then send_to_line(worker, idle) end
  end
  return changed
end

return once(ARGV[4] == '1' and pause or resume)
