-- pause: a paused queue takes jobs and gives none; what runs goes on.
-- ARGV[2]  queue   ARGV[3] 1 to pause, 0 to resume
-- returns  1 if that changed anything
local queue = ARGV[2]
assert_types({ 'SCARD', 'paused', 'ZCARD', 'workers', 'ZCARD', 'idle:' .. queue })
if ARGV[3] == '1' then return redis.call('SADD', key('paused'), queue) end
local changed = redis.call('SREM', key('paused'), queue)
-- Idle workers have not looked since.
for _, worker in ipairs(redis.call('ZRANGE', key('idle:' .. queue), 0, -1)) do
  if redis.call('ZSCORE', workers, worker) then redis.pcall('RPUSH', key('inbox:' .. worker), 'c') end
end
return changed
