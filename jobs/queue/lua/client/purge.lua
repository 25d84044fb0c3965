-- purge: deletes jobs that wait in a queue, or dead letters, at most `limit` a call.
-- ARGV[2]  see `once`   ARGV[3] queue, or empty for the dead letters   ARGV[4] limit
-- returns  how many were deleted; 0 when none are left
local queue, limit = ARGV[3], tonumber(ARGV[4])

local function drop(ids)
  redis.call('HDEL', jobs, unpack(ids))
  redis.call('HDEL', counts, unpack(ids))
  redis.call('HDEL', key('progress'), unpack(ids))
end

local function purge_failed()
  local ids = redis.call('ZRANGE', key('failed'), 0, limit - 1)
  if #ids == 0 then return 0 end
  redis.call('ZREM', key('failed'), unpack(ids))
  drop(ids)
  return #ids
end

-- A revoked job in line has ended, so it is retained like any ended job.
local function drop_from_line(ids, records)
  local waiting = {}
  for i, record in ipairs(records) do
    if record and string.sub(record, 1, 2) == 'x1' then
      retain({ ids[i] }, #record, now_ms())
    else
      waiting[#waiting + 1] = ids[i]
    end
  end
  if #waiting > 0 then drop(waiting) end
end

-- Purges the head of the first line that has jobs.
local function purge_line()
  for priority = 9, 0, -1 do
    local line = key('wait:' .. queue .. ':' .. priority)
    local ids = try({}, 'LRANGE', line, 0, limit - 1)
    if #ids > 0 then
      local records = read_records(ids)
      redis.call('LTRIM', line, #records, -1)
      drop_from_line(ids, records)
      return #records
    end
  end
  return 0
end

return once(queue == '' and purge_failed or purge_line)
