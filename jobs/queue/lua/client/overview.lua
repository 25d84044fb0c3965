-- overview: counts of one shard, as JSON.
-- returns  queues that had a job or are paused, with waiting jobs by priority 0..9 (including revoked jobs still in line);
--          numbers of delayed, failed and finished jobs; workers with the number of jobs they hold
local at = now_ms()
local facts = {
  delayed = redis.call('ZCARD', delayed),
  failed = redis.call('ZCARD', key('failed')),
  done = redis.call('LLEN', key('done')),
  queues = {},
  workers = {},
}
for _, queue in ipairs(redis.call('SUNION', key('queues'), key('paused'))) do
  local waiting = {}
  for priority = 0, 9 do
    waiting[priority + 1] = try(0, 'LLEN', key('wait:' .. queue .. ':' .. priority))
  end
  local paused = redis.call('SISMEMBER', key('paused'), queue) == 1
  table.insert(facts.queues, { name = queue, waiting = waiting, paused = paused })
end
local beats = redis.call('ZRANGE', workers, 0, -1, 'WITHSCORES')
for i = 1, #beats, 2 do
  table.insert(facts.workers, {
    id = beats[i],
    leaseLeftMs = tonumber(beats[i + 1]) - at,
    held = try(0, 'SCARD', key('lease:' .. beats[i])),
    queues = try('', 'HGET', key('replies:' .. beats[i]), 'queues') or '',
  })
end
return cjson.encode(facts)
