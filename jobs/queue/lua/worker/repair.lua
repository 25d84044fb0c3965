-- repair: puts jobs that are in no place, or in several, into the one where they belong. Correct jobs stay unchanged, so the
-- caller need not be sure of its suspects, and any number of workers may call.
-- ARGV[2]  list entries that may be read; the remaining ids are left for another call
-- then     ids
-- returns  how many ids were checked, the ids that were repaired
assert_types_of_shard()
local budget, wrong, seen = tonumber(ARGV[2]), {}, 0

-- Redis reads this many bytes of a record as fast as one entry of a line.
local BYTES_OF_ENTRY = 8

local WAITING = { lease = true, delayed = true, line = true }
-- A revoked job may still be in its line. An id without a record belongs nowhere.
local WANTED = { r1 = { done = true }, f1 = { failed = true }, x1 = { line = true, done = true }, none = {} }

local function put_where_it_belongs(id, record, kind)
  if kind == 'r1' or kind == 'x1' then
    retain({ id }, #record, now_ms())
  elseif kind == 'f1' then
    redis.call('ZADD', key('failed'), now_ms(), id)
  else
    return_to_line(id, now_ms())
  end
end

local function is_right(id)
  local record = redis.call('HGET', jobs, id)
  local kind = record and string.sub(record, 1, 2) or 'none'
  local job = (kind == 'f1' or kind == 'x1') and string.match(record, '^[^\n]*\n(.*)$') or record
  local queue, priority = line_of(job or '')
  budget = budget - redis.call('LLEN', key('done')) - #(record or '') / BYTES_OF_ENTRY
  if queue then budget = budget - try(0, 'LLEN', key('wait:' .. queue .. ':' .. priority)) end
  local is_there, was_right = keep_one(id, WANTED[kind] or WAITING, places_of(id, queue, priority))
  if is_there or kind == 'none' then return was_right end
  put_where_it_belongs(id, record, kind)
  return false
end

for i = 3, #ARGV do
  if budget <= 0 and seen > 0 then break end
  if not is_right(ARGV[i]) then wrong[#wrong + 1] = ARGV[i] end
  seen = seen + 1
end
return { seen, wrong }
