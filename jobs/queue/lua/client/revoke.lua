-- revoke: ends jobs that have not ended, waiting or running.
-- ARGV[2]  see `once`   ARGV[3] reason as one line of JSON
-- then     ids
-- returns  one word each: revoked, ended (before this call), unknown
local function revoke(id, at)
  local record = redis.call('HGET', jobs, id)
  if not record then return 'unknown' end
  local kind = string.sub(record, 1, 2)
  if kind ~= 'v1' and kind ~= 'e1' then return 'ended' end
  end_as_revoked(id, record, ARGV[3], at)
  return 'revoked'
end

return once(function()
  local at, words, revoked = now_ms(), {}, {}
  for i = 4, #ARGV do
    local word = revoke(ARGV[i], at)
    words[#words + 1] = word
    if word == 'revoked' then revoked[#revoked + 1] = ARGV[i] end
  end
  announce('revoked', revoked)
  return words
end)
