-- turn: lets one worker of a shard per interval search for lost and doubled jobs.
-- ARGV[2]  interval in ms
-- returns  1 if the caller is to search, 0 if another worker has
return redis.call('SET', key('looked'), '1', 'NX', 'PX', ARGV[2]) and 1 or 0
