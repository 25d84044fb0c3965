-- tally: counts the jobs of a shard and the places they take. Every job is in one place (a line, `delayed`, a lease, `failed`
-- or `done`), so the two numbers match unless a job was lost or doubled.
-- returns  jobs, places
local places = redis.call('ZCARD', delayed) + redis.call('ZCARD', key('failed')) + redis.call('LLEN', key('done'))
for _, queue in ipairs(redis.call('SMEMBERS', key('queues'))) do
  for priority = 0, 9 do places = places + try(0, 'LLEN', key('wait:' .. queue .. ':' .. priority)) end
end
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  places = places + try(0, 'SCARD', key('lease:' .. worker))
end
return { redis.call('HLEN', jobs), places }
