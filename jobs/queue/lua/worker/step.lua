-- step: one round of a worker: settles its jobs, promotes due jobs, claims jobs it can start, and registers it as idle.
-- ARGV[2]  worker        ARGV[3] sequence number: a repeat gets the first answer again
-- ARGV[4]  free slots    ARGV[5] jobs the worker knows it holds, without those settled here
-- then     a list of queues; lists of (id, result record), (id, delay ms, counts), (id, reason); each after its length
-- returns  clock ms, next due ms or -1, 1 if more may wait, and lists: ids of lost leases; ids, records, counts of claims
-- errors   WORKER_UNKNOWN the worker is not registered or was reaped; STALE the number is older than the last four;
--          WRONGTYPE a key that rounds write to is of another type; after an error nothing was written
local worker, seq = ARGV[2], tonumber(ARGV[3])
local lease, replies = key('lease:' .. worker), key('replies:' .. worker)
local at = now_ms()

local memo = redis.call('HMGET', replies, seq, 'last', 'queues')
if memo[1] then return recall(memo[1], at) end
local last = tonumber(memo[2] or '0')
if seq <= last - 4 then return redis.error_reply('STALE') end
if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('WORKER_UNKNOWN') end

local cursor = 6
local function take(width)
  local count, from = tonumber(ARGV[cursor]), cursor + 1
  cursor = from + count * width
  return from, count
end

local queues_from, queue_count = take(1)
local queues = still_served({ unpack(ARGV, queues_from, queues_from + queue_count - 1) }, memo[3])
assert_types_of_shard()
assert_types_of_worker(worker)
for _, queue in ipairs(queues) do assert_types({ 'ZCARD', 'idle:' .. queue }) end
local lost = {}
local function held(width)
  local from, count = take(width)
  return held_entries(lease, from, count, width, lost)
end
local first, count = take(2)
announce('succeeded', succeed(lease, first, count, at, lost))
local back = held(3)
-- Jobs it returns are meant for other workers: it gets none of them before it has registered as idle again.
if #back > 0 then register_idle(worker, queues, 0, at) end
put_back(lease, back, at)
announce('failed', fail(lease, held(2), at))
promote(at, 100)

-- Jobs handed over meanwhile fill slots that the worker still counts as free; a lost lease frees no slot until it knows.
local free = tonumber(ARGV[4]) - math.max(0, redis.call('SCARD', lease) - tonumber(ARGV[5]))
local ids, records, count_texts, more = {}, {}, {}, false
if free > 0 and #queues > 0 then
  -- Ordinary and ageing rounds are counted separately: with one number for both, every ageing round could begin with the same
  -- queue, which could then never come first in ordinary rounds.
  local ageing, aged = seq % 16 == 0, math.floor(seq / 16)
  ids, records, count_texts, more = claim(worker, queues, ageing and aged or seq - aged, free, ageing, at)
end
register_idle(worker, queues, more and 0 or free - #ids, at)
remember(replies, seq, last, ids, lost)
return { at, next_due_ms(), more and 1 or 0, lost, ids, records, count_texts }
