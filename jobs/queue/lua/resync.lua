-- resync: after a broken connection a worker cannot know what lay in its inbox. That is emptied; its lease set tells it all.
-- ARGV[2]  worker
-- returns  the ids it leases
-- errors   WORKER_UNKNOWN it is not registered
local worker = ARGV[2]
assert_types_of_worker(worker)
if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('WORKER_UNKNOWN') end
redis.call('DEL', key('inbox:' .. worker))
return redis.call('SMEMBERS', key('lease:' .. worker))
