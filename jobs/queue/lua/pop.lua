-- pop: takes ids off the lines of a worker's queues: priority 9 to 0, or 0 to 9 when ageing is due, the queues in turn.

-- Ids from the front of the lines, at most `want`.
local function pop(queues, first, want, lowest_first)
  local ids, closed = {}, redis.call('SMISMEMBER', key('paused'), unpack(queues))
  for turn = 0, #queues - 1 do
    local index = (first + turn) % #queues + 1
    for rank = closed[index] * 10, 9 do
      local line = key('wait:' .. queues[index] .. ':' .. (lowest_first and rank or 9 - rank))
      -- A key of a wrong type is passed over: one broken line must not stop the others.
      local popped = redis.pcall('LPOP', line, want - #ids)
      if popped and not popped.err then
        if #ids == 0 then
          ids = popped
        else
          for _, id in ipairs(popped) do ids[#ids + 1] = id end
        end
        if #ids >= want then return ids end
      end
    end
  end
  return ids
end
