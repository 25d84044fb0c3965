-- describe: stores the shard count and the retention limits. A chosen limit replaces the stored one; a default is stored only
-- if no limit is.
-- ARGV[2]  shards, then each limit and '1' if the process chose it, '0' if it is the default:
-- ARGV[3]  most finished jobs kept   ARGV[5] for how long, in ms   ARGV[7] most bytes of their records
-- ARGV[9]  most dead letters kept   ARGV[11] for how long, in ms
-- returns  the shards the queue was created with; if they differ from ARGV[2], nothing was written
local shards = redis.call('HGET', key('meta'), 'shards') or ARGV[2]
if shards == ARGV[2] then
  redis.call('HSET', key('meta'), 'shards', shards)
  for i, field in ipairs({ 'keepCount', 'keepMs', 'keepBytes', 'failedCount', 'failedMs' }) do
    redis.call(ARGV[2 * i + 2] == '1' and 'HSET' or 'HSETNX', key('meta'), field, ARGV[2 * i + 1])
  end
end
return shards
