-- describe: writes down what the queue is like. Of the limits of retention those hold that were last chosen by a process; one that
-- chooses none only fills in what nobody has chosen yet.
-- ARGV[2]  shards, then each limit and '1' if it is chosen, '0' if it is the default:
-- ARGV[3]  most finished jobs kept   ARGV[5] for how long, in ms   ARGV[7] and with how many bytes
-- returns  the shards the queue was made with; when they are others, nothing was written
local shards = redis.call('HGET', key('meta'), 'shards') or ARGV[2]
if shards == ARGV[2] then
  redis.call('HSET', key('meta'), 'shards', shards)
  for i, field in ipairs({ 'keepCount', 'keepMs', 'keepBytes' }) do
    redis.call(ARGV[2 * i + 2] == '1' and 'HSET' or 'HSETNX', key('meta'), field, ARGV[2 * i + 1])
  end
end
return shards
