-- memo: keeps the answers of a worker's last four rounds, so that a retried round changes nothing and gets the same answer.
-- Ids are UUIDs and contain no comma or bar.

-- `last` is the highest number seen so far, as two rounds may overtake each other.
local function remember(replies, seq, last, claimed, lost)
  local memo = table.concat(claimed, ',') .. '|' .. table.concat(lost, ',')
  redis.call('HSET', replies, seq, memo, 'last', math.max(seq, last))
  redis.call('HDEL', replies, seq - 4)
end

local function split(text)
  local ids = {}
  for id in string.gmatch(text, '[^,]+') do ids[#ids + 1] = id end
  return ids
end

local function recall(memo, at)
  local claimed, lost = string.match(memo, '^([^|]*)|(.*)$')
  local ids, records, count_texts = split(claimed), {}, {}
  for i, id in ipairs(ids) do
    records[i] = redis.call('HGET', jobs, id) or ''
    count_texts[i] = redis.call('HGET', counts, id) or ''
  end
  return { at, next_due_ms(), 1, split(lost), ids, records, count_texts }
end
