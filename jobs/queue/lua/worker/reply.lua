-- reply: stores a worker's answer to a command. A retry stores it twice; the caller takes the first.
-- ARGV[2]  the call   ARGV[3] worker, newline, the answer as one line of JSON
local REPLY_LIVES_S = 60

local reply = key('reply:' .. ARGV[2])
redis.call('RPUSH', reply, ARGV[3])
redis.call('EXPIRE', reply, REPLY_LIVES_S)
return redis.status_reply('OK')
