-- purge: forgets jobs that wait in a queue, or dead letters, at most `limit` a call.
-- ARGV[2]  queue, or empty for the dead letters   ARGV[3] limit
-- returns  how many were forgotten; fewer than the limit means that is all
local queue, limit, forgotten = ARGV[2], tonumber(ARGV[3]), 0

local function drop(ids)
  redis.call('HDEL', jobs, unpack(ids))
  redis.call('HDEL', counts, unpack(ids))
  redis.call('HDEL', key('progress'), unpack(ids))
  forgotten = forgotten + #ids
end

if queue == '' then
  local ids = redis.call('ZRANGE', key('failed'), 0, limit - 1)
  if #ids > 0 then
    redis.call('ZREM', key('failed'), unpack(ids))
    drop(ids)
  end
  return forgotten
end

-- A revoked job in line has ended: that is remembered like any other end.
local function drop_from_line(ids)
  local waiting = {}
  for i, record in ipairs(redis.call('HMGET', jobs, unpack(ids))) do
    if record and string.sub(record, 1, 2) == 'x1' then
      retain({ ids[i] }, #record, now_ms())
      forgotten = forgotten + 1
    else
      waiting[#waiting + 1] = ids[i]
    end
  end
  if #waiting > 0 then drop(waiting) end
end

for priority = 9, 0, -1 do
  if forgotten == limit then break end
  local ids = redis.call('LPOP', key('wait:' .. queue .. ':' .. priority), limit - forgotten)
  if ids then drop_from_line(ids) end
end
return forgotten
