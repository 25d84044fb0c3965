-- turn: whether it is for the caller to look closely: for one worker of a shard in a while.
-- ARGV[2]  the while in ms
-- returns  1, or 0 when somebody has looked
return redis.call('SET', key('looked'), '1', 'NX', 'PX', ARGV[2]) and 1 or 0
