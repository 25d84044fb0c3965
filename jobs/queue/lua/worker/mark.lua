-- mark: stores the counts of a job that its worker is about to run alone, so that a death of the process is charged to it.
-- ARGV[2]  worker   ARGV[3] id   ARGV[4] counts
-- returns  1, or 0 when the job is no longer leased to the worker
if redis.call('SISMEMBER', key('lease:' .. ARGV[2]), ARGV[3]) == 0 then return 0 end
redis.call('HSET', counts, ARGV[3], ARGV[4])
return 1
