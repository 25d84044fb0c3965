-- status: the state of jobs, for readers.
-- ARGV[2..]  ids
-- returns    for the first ids, as many as fit into one answer: state or "unknown", record or "", counts or "",
--            progress or ""
local reply, holders = {}, redis.call('ZRANGE', workers, 0, -1)

local function is_leased(id)
  for _, worker in ipairs(holders) do
    if try(0, 'SISMEMBER', key('lease:' .. worker), id) == 1 then return true end
  end
  return false
end

local ENDED = { r1 = 'succeeded', f1 = 'failed', x1 = 'revoked' }
local function state_of(id, record, count_text)
  if not record then return 'unknown' end
  local ended = ENDED[string.sub(record, 1, 2)]
  if ended then return ended end
  local _, priority = line_of(record)
  if priority and redis.call('ZSCORE', delayed, priority .. id) then
    return count_text and 'retrying' or 'scheduled'
  end
  return is_leased(id) and 'active' or 'pending'
end

local ids = { unpack(ARGV, 2) }
for i, record in ipairs(read_records(ids)) do
  local id = ids[i]
  local count_text, progress = redis.call('HGET', counts, id), redis.call('HGET', key('progress'), id)
  for _, value in ipairs({ state_of(id, record, count_text), record or '', count_text or '', progress or '' }) do
    reply[#reply + 1] = value
  end
end
return reply
