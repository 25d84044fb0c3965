-- requeue: gives dead letters another life: nothing charged, at the end of their lines.
-- ARGV[2..]  ids
-- returns    one word each: requeued, not_failed
local words = {}
for i = 2, #ARGV do
  local id = ARGV[i]
  local record = redis.call('ZSCORE', key('failed'), id) and redis.call('HGET', jobs, id)
  local job = record and string.match(record, '^f1[^\n]*\n(.*)$')
  local queue, priority = line_of(job or '')
  if queue then
    redis.call('ZREM', key('failed'), id)
    redis.call('HSET', jobs, id, job)
    redis.call('HDEL', counts, id)
    place_one(queue, priority, id, job)
    words[#words + 1] = 'requeued'
  else
    words[#words + 1] = 'not_failed'
  end
end
return words
