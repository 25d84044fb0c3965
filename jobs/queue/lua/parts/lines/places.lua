-- places: finds the places of a job and removes it from all but one.
local function holders_of(id)
  local found = {}
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    local lease = key('lease:' .. worker)
    if try(0, 'SISMEMBER', lease, id) == 1 then found[#found + 1] = lease end
  end
  return found
end

-- Removes a job from all places but the first wanted one. Returns whether it was in a wanted place, and whether it was in no
-- other place.
local function keep_one(id, wanted, places)
  local is_there, was_right = false, true
  for _, place in ipairs(places) do
    if wanted[place.name] and not is_there then
      is_there = true
      if place.extra then
        was_right = false
        place.thin()
      end
    else
      was_right = false
      place.drop()
    end
  end
  return is_there, was_right
end

-- Returns the places of a job, the one to keep first: leased, delayed, in line, ended.
local function places_of(id, queue, priority)
  local places = {}
  for _, lease in ipairs(holders_of(id)) do
    places[#places + 1] = { name = 'lease', drop = function() redis.call('SREM', lease, id) end }
  end
  for member_priority = 0, 9 do
    local member = member_priority .. id
    if redis.call('ZSCORE', delayed, member) then
      places[#places + 1] = { name = 'delayed', drop = function() redis.call('ZREM', delayed, member) end }
    end
  end
  if queue then
    local line = key('wait:' .. queue .. ':' .. priority)
    local times = #try({}, 'LPOS', line, id, 'COUNT', 0)
    if times > 0 then
      places[#places + 1] = {
        name = 'line',
        extra = times > 1,
        thin = function() redis.call('LREM', line, 1 - times, id) end,
        drop = function() redis.call('LREM', line, 0, id) end,
      }
    end
  end
  if redis.call('ZSCORE', key('failed'), id) then
    places[#places + 1] = { name = 'failed', drop = function() redis.call('ZREM', key('failed'), id) end }
  end
  places[#places + 1] = place_among_ended(id)
  return places
end
