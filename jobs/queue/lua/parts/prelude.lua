-- prelude: the keys of one shard, its clock, and helpers that read records.
-- KEYS[1]  the shard's `jobs` hash; every other key differs from it in the last part only (keys.ts lists them)
-- ARGV[1]  ms added to Redis's clock; 0 outside tests
local base = string.sub(KEYS[1], 1, -5)
local jobs, delayed, workers, counts = KEYS[1], base .. 'delayed', base .. 'workers', base .. 'counts'

local function key(name)
  return base .. name
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
end

-- Returns the reply of a read, or `default` when the key is of another type.
local function try(default, ...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return default end
  return reply
end

-- Returns queue and priority from the fixed front of a job record's header; nil for any other record.
local function line_of(record)
  return string.match(record, '^[ve]1{"q":"([%w_.-]+)","p":(%d)[,}]')
end

-- Adds the attempts charged to a job to the reason of its end, as `counts` forgets them.
local function with_attempts(reason, id)
  local attempts = string.match(redis.call('HGET', counts, id) or '', '^([1-9]%d*):')
  return attempts and (string.gsub(reason, '^{', '{"attempts":' .. attempts .. ',')) or reason
end

-- Ends a job with an unreadable record as a dead letter, which can be inspected and never runs.
local function bury_corrupt(id, record, at)
  redis.call('HSET', jobs, id, 'f1{"code":"RECORD_CORRUPT"}\n' .. record)
  redis.call('ZADD', key('failed'), at, id)
  redis.call('HDEL', counts, id)
  redis.call('HDEL', key('progress'), id)
end

-- Two requests are the same if task name and payload are. A result record keeps only the digest of these.
local function digest_of(record)
  local kind = string.sub(record, 1, 2)
  if kind == 'r1' then
    return string.match(record, '^[^\n]-"d":"(%x+)"')
  end
  if kind == 'f1' or kind == 'x1' then
    record = string.sub(record, (string.find(record, '\n', 1, true) or 0) + 1)
  end
  local header, payload = string.match(record, '^([^\n]*)\n(.*)$')
  local name = header and string.match(header, '"n":"([^"]*)"')
  return name and string.sub(redis.sha1hex(name .. '\n' .. payload), 1, 16)
end
