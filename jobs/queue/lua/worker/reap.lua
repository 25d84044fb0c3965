-- reap: returns the jobs of workers whose lease expired to the heads of their lines.
-- Started jobs are marked as suspects (`s`); a job that ran alone (`r`) is charged a death. A job still in the inbox had not
-- started and is not charged.
-- ARGV[2]  number of jobs after which no further worker is reaped; all jobs of one worker are moved together, as it must not
--          learn that it was reaped while it still leases some
-- ARGV[3]  clock ms after which the call does nothing, 0 for no limit: after a pause of Redis a late call finds every
--          heartbeat overdue
-- returns  worker, number of jobs moved, ... for each worker
local at, budget, reply = now_ms(), tonumber(ARGV[2]), {}
local not_after = tonumber(ARGV[3])
if not_after > 0 and at > not_after then return reply end
assert_types_of_shard()

local function unstarted(worker)
  local set = {}
  for _, message in ipairs(try({}, 'LRANGE', key('inbox:' .. worker), 0, -1)) do
    if string.sub(message, 1, 1) == 'j' then set[string.sub(message, 2, 37)] = true end
  end
  return set
end

local function charge(id)
  local attempt, deaths, mark, rest = string.match(redis.call('HGET', counts, id) or '0:0:', '^(%d+):(%d+):(%a?)(.*)$')
  if mark == 'r' then deaths = deaths + 1 end
  redis.call('HSET', counts, id, string.format('%d:%d:s%s', attempt or 0, deaths or 0, rest or ''))
end

local function put_back_all(worker, ids)
  local fresh = unstarted(worker)
  for _, id in ipairs(ids) do
    if not fresh[id] then charge(id) end
    if not return_to_line(id, at) then redis.call('HDEL', counts, id) end
  end
end

for _, worker in ipairs(redis.call('ZRANGE', workers, '-inf', at, 'BYSCORE', 'LIMIT', 0, 8)) do
  unregister_idle(worker)
  local ids = try({}, 'SMEMBERS', key('lease:' .. worker))
  put_back_all(worker, ids)
  redis.call('DEL', key('lease:' .. worker), key('inbox:' .. worker), key('replies:' .. worker))
  redis.call('ZREM', workers, worker)
  reply[#reply + 1], reply[#reply + 2] = worker, #ids
  budget = budget - #ids
  if budget <= 0 then break end
end
return reply
