-- describe: writes down what the queue is like. Of the limits of retention, those of the last process to do so hold.
-- ARGV[2]  shards   ARGV[3] most finished jobs kept   ARGV[4] for how long, in ms   ARGV[5] and with how many bytes
-- returns  the shards the queue was made with; when they are others, nothing was written
local shards = redis.call('HGET', key('meta'), 'shards') or ARGV[2]
if shards == ARGV[2] then
  redis.call('HSET', key('meta'), 'shards', shards, 'keepCount', ARGV[3], 'keepMs', ARGV[4], 'keepBytes', ARGV[5])
end
return shards
