-- pop: pops ids from the lines of a worker's queues: priority 9 to 0, or 0 to 9 in an ageing round, the queues in turn.

-- Returns at most `want` ids from the heads of the lines, and their origins: a line, the index of its last id, ...
local function pop(queues, first, want, lowest_first)
  local ids, origins, closed = {}, {}, redis.call('SMISMEMBER', key('paused'), unpack(queues))
  for turn = 0, #queues - 1 do
    local index = (first + turn) % #queues + 1
    for rank = closed[index] * 10, 9 do
      local line = key('wait:' .. queues[index] .. ':' .. (lowest_first and rank or 9 - rank))
      -- Skips a key of a wrong type: one broken line must not stop the others.
      local popped = redis.pcall('LPOP', line, want - #ids)
      if popped and not popped.err then
        if #ids == 0 then
          ids = popped
        else
          for _, id in ipairs(popped) do ids[#ids + 1] = id end
        end
        origins[#origins + 1], origins[#origins + 2] = line, #ids
        if #ids >= want then return ids, origins end
      end
    end
  end
  return ids, origins
end

-- Returns the ids after the first `kept` to the heads of their lines. No idle worker is told, as none was due to get them
-- before this pop.
local function put_back_popped(ids, origins, kept)
  for i = 1, #origins, 2 do
    local back = {}
    for j = origins[i + 1], math.max(kept, origins[i - 1] or 0) + 1, -1 do back[#back + 1] = ids[j] end
    if #back > 0 then redis.call('LPUSH', origins[i], unpack(back)) end
  end
  for j = #ids, kept + 1, -1 do ids[j] = nil end
end
