-- held: a worker can settle only jobs it still leases; the ids of the others are added to `lost` and the jobs stay unchanged.

-- Takes `count` entries of `width` arguments, each starting with an id. Returns the start of every entry still leased.
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
