-- renew: the heartbeat of one worker process, which renews all its leases.
-- ARGV[2]  worker   ARGV[3] lease in ms
-- ARGV[4]  queues to register, separated by commas; a single comma registers none; empty keeps the registration
-- returns  clock ms, next due ms or -1
-- errors   WORKER_UNKNOWN the worker is not registered, and other workers may have its jobs
local worker, at = ARGV[2], now_ms()
assert_types_of_shard()
assert_types_of_worker(worker)
if ARGV[4] ~= '' then
  register_queues(worker, ARGV[4])
elseif not redis.call('ZSCORE', workers, worker) then
  return redis.error_reply('WORKER_UNKNOWN')
end
redis.call('ZADD', workers, at + tonumber(ARGV[3]), worker)
prune(at)
expire_failed(at)
promote(at, 100)
return { at, next_due_ms() }
