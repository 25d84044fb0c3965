-- resync: after a broken connection the worker cannot know what lay in its inbox; its lease set tells it all.
-- ARGV[2]  worker
-- returns  id, record, counts of every job it leases
-- errors   WORKER_UNKNOWN it is not registered
local worker, triples = ARGV[2], {}
if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('WORKER_UNKNOWN') end
redis.call('DEL', key('inbox:' .. worker))
for _, id in ipairs(redis.call('SMEMBERS', key('lease:' .. worker))) do
  triples[#triples + 1] = id
  triples[#triples + 1] = redis.call('HGET', jobs, id) or ''
  triples[#triples + 1] = redis.call('HGET', counts, id) or ''
end
return triples
