-- held: ends of leases act only on jobs the worker still holds; the others are added to `lost`, untouched.

-- Splits entries of `width` arguments by whether the worker still leases their id. Returns the start of each held entry.
local function held_entries(lease, from, count, width, lost)
  if count == 0 then return {} end
  local ids, held = {}, {}
  for i = 1, count do
    ids[i] = ARGV[from + (i - 1) * width]
  end
  local member = redis.call('SMISMEMBER', lease, unpack(ids))
  for i = 1, count do
    if member[i] == 1 then
      held[#held + 1] = from + (i - 1) * width
    else
      lost[#lost + 1] = ids[i]
    end
  end
  return held
end

local function forget(ids)
  for _, name in ipairs({ 'counts', 'progress' }) do
    if redis.call('HLEN', key(name)) > 0 then
      redis.call('HDEL', key(name), unpack(ids))
    end
  end
end
