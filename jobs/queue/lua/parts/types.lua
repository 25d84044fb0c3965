-- types: checks key types before the first write, as a script that fails halfway keeps what it has written. Each check reads a
-- key in a way that only its type allows; a script that starts with them answers WRONGTYPE and has written nothing.
-- Lines and keys of other workers are not checked: the code that writes to them handles a wrong type (place, hand).

-- `reads`: pairs of a command that reads the size of a key, and the last part of the key's name.
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

-- The keys that adding to a line writes. Usually no worker is idle, so two reads suffice.
local function assert_types_of_line(queue, priority)
  redis.call('LLEN', key('wait:' .. queue .. ':' .. priority))
  if redis.call('ZCARD', key('idle:' .. queue)) > 0 then
    assert_types({ 'SCARD', 'paused', 'HLEN', 'counts', 'HLEN', 'free' })
  end
end
