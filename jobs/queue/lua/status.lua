-- status: the state of jobs, for readers.
-- ARGV[2..]  ids
-- returns    for each id: its state or "unknown", its record or "", its counts or "", its progress or ""
local reply, holders = {}, redis.call('ZRANGE', workers, 0, -1)

local function is_leased(id)
  for _, worker in ipairs(holders) do
    if redis.call('SISMEMBER', key('lease:' .. worker), id) == 1 then return true end
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

for i = 2, #ARGV do
  local id = ARGV[i]
  local record, count_text = redis.call('HGET', jobs, id), redis.call('HGET', counts, id)
  local progress = redis.call('HGET', key('progress'), id)
  for _, value in ipairs({ state_of(id, record, count_text), record or '', count_text or '', progress or '' }) do
    reply[#reply + 1] = value
  end
end
return reply
