-- repair: puts jobs that are in no place, or in several, into the one where they belong. Those that are right stay as they
-- are, so that whoever calls need not be sure of them, and any number may call.
-- ARGV[2]  entries of lines that may be looked through: the rest of the ids is left for another call
-- then     ids
-- returns  how many ids were seen to, the ids that were not right
assert_types_of_shard()
local budget, wrong, seen = tonumber(ARGV[2]), {}, 0

-- Whether an ended job is among those that are dropped in time; it is from now on.
local function remember(id, record)
  budget = budget - redis.call('LLEN', key('done'))
  if redis.call('LPOS', key('done'), id) then return true end
  retain({ id }, #record, now_ms())
  return false
end

local WAITING, FAILED = { lease = true, delayed = true, line = true }, { failed = true }
-- A revoked job may lie in its line yet.
local REVOKED = { line = true }

local function is_right(id)
  local record = redis.call('HGET', jobs, id)
  local kind = record and string.sub(record, 1, 2)
  if kind == 'r1' or not kind then
    local _, was_right = keep_one(id, {}, places_of(id))
    return (not kind or remember(id, record)) and was_right
  end
  local job = (kind == 'f1' or kind == 'x1') and string.match(record, '^[^\n]*\n(.*)$') or record
  local queue, priority = line_of(job or '')
  if queue then budget = budget - try(0, 'LLEN', key('wait:' .. queue .. ':' .. priority)) end
  local places = places_of(id, queue, priority)
  local is_there, was_right = keep_one(id, kind == 'f1' and FAILED or kind == 'x1' and REVOKED or WAITING, places)
  if is_there then return was_right end
  if kind == 'x1' then return remember(id, record) and was_right end
  if kind == 'f1' then
    redis.call('ZADD', key('failed'), now_ms(), id)
  else
    return_to_line(id, now_ms())
  end
  return false
end

for i = 3, #ARGV do
  if budget <= 0 and seen > 0 then break end
  if not is_right(ARGV[i]) then wrong[#wrong + 1] = ARGV[i] end
  seen = seen + 1
end
return { seen, wrong }
