-- progress: stores the progress of running jobs, only for jobs the worker still leases, so that no progress outlives its job.
-- ARGV[2]  worker
-- then     id, JSON text, ...
local lease = key('lease:' .. ARGV[2])
for i = 3, #ARGV, 2 do
  if redis.call('SISMEMBER', lease, ARGV[i]) == 1 then
    redis.call('HSET', key('progress'), ARGV[i], ARGV[i + 1])
  end
end
return redis.status_reply('OK')
