-- resync: after a broken connection a worker cannot know which inbox messages were lost. The script empties the inbox and
-- returns the leases instead. It keeps commands, which are stored nowhere else.
-- ARGV[2]  worker
-- returns  the ids it leases
-- errors   WORKER_UNKNOWN the worker is not registered
local MAX_COMMANDS = 100

local worker = ARGV[2]
assert_types_of_worker(worker)
if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('WORKER_UNKNOWN') end
local inbox, commands = key('inbox:' .. worker), {}
for _, message in ipairs(redis.call('LRANGE', inbox, 0, -1)) do
  if string.sub(message, 1, 1) == 'm' and #commands < MAX_COMMANDS then commands[#commands + 1] = message end
end
redis.call('DEL', inbox)
if #commands > 0 then redis.call('RPUSH', inbox, unpack(commands)) end
return redis.call('SMEMBERS', key('lease:' .. worker))
