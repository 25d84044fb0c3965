-- once: runs a client call at most once; a retry, sent because the answer was lost, changes nothing and gets the same answer.
-- ARGV[2]  a UUID, new for each call
local ANSWER_LIVES_S = 60

local function once(work)
  local answer = key('answer:' .. ARGV[2])
  local known = redis.call('GET', answer)
  if known then return cjson.decode(known) end
  assert_types_of_shard()
  local reply = work()
  redis.call('SET', answer, cjson.encode(reply), 'EX', ANSWER_LIVES_S)
  return reply
end
