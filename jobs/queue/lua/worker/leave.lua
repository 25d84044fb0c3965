-- leave: unregisters a worker that stops, and returns the jobs it still leases to their lines, uncharged.
-- ARGV[2]  worker
-- returns  number of jobs returned
local worker, at = ARGV[2], now_ms()
assert_types_of_shard()
assert_types_of_worker(worker)
unregister_idle(worker)
local ids = redis.call('SMEMBERS', key('lease:' .. worker))
local sparse = redis.call('HLEN', counts) > 0
for _, id in ipairs(ids) do
  -- A job that ran alone stays a suspect, but no longer counts as running.
  local alone, rest = string.match(sparse and redis.call('HGET', counts, id) or '', '^(%d+:%d+:)r(.*)$')
  if alone then redis.call('HSET', counts, id, alone .. 's' .. rest) end
  return_to_line(id, at)
end
redis.call('DEL', key('lease:' .. worker), key('inbox:' .. worker), key('replies:' .. worker))
redis.call('ZREM', workers, worker)
return #ids
