-- revoke: ends jobs that have not ended, waiting or running.
-- ARGV[2]  reason as one line of JSON
-- then     ids
-- returns  one word each: revoked, ended (it had ended before), unknown
local at, words, revoked = now_ms(), {}, {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local record = redis.call('HGET', jobs, id)
  local kind = record and string.sub(record, 1, 2)
  if not record then
    words[#words + 1] = 'unknown'
  elseif kind == 'v1' or kind == 'e1' then
    end_as_revoked(id, record, ARGV[2], at)
    words[#words + 1], revoked[#revoked + 1] = 'revoked', id
  else
    words[#words + 1] = 'ended'
  end
end
announce('revoked', revoked)
return words
