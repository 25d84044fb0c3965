-- types: a script that fails halfway leaves what it has written, so keys of a wrong type are met before its first write: by
-- reading each in a way its type allows. Every script that begins so answers WRONGTYPE instead, and has done nothing.
-- Lines and what belongs to other workers are not looked at: whoever writes to them copes (place, hand).

-- `reads`: a command that reads the size of a key, the last part of its name, ...
local function assert_types(reads)
  for i = 1, #reads, 2 do redis.call(reads[i], key(reads[i + 1])) end
end

-- The keys every shard has.
local function assert_types_of_shard()
  assert_types({
    'HLEN', 'jobs', 'ZCARD', 'delayed', 'ZCARD', 'workers', 'HLEN', 'counts', 'HLEN', 'progress', 'ZCARD', 'failed',
    'HLEN', 'free', 'LLEN', 'done', 'LLEN', 'marks', 'STRLEN', 'doneBytes', 'HLEN', 'meta', 'XLEN', 'events',
    'SCARD', 'paused',
  })
end

local function assert_types_of_worker(worker)
  assert_types({ 'SCARD', 'lease:' .. worker, 'LLEN', 'inbox:' .. worker, 'HLEN', 'replies:' .. worker })
end

-- What adding to a line writes. Most jobs find no idle worker: that takes two reads.
local function assert_types_of_line(queue, priority)
  redis.call('LLEN', key('wait:' .. queue .. ':' .. priority))
  if redis.call('ZCARD', key('idle:' .. queue)) > 0 then
    assert_types({ 'SCARD', 'paused', 'HLEN', 'counts', 'HLEN', 'free' })
  end
end
