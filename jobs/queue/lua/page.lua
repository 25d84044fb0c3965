-- page: some of the ids in one place, from a cursor on.
-- ARGV[2]  key, the last part of its name   ARGV[3] cursor, 0 for the beginning   ARGV[4] about how many
-- returns  the next cursor or 0, ids
local place, cursor, count = key(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local kind = redis.call('TYPE', place).ok
if kind == 'hash' or kind == 'set' then
  local scanned = redis.call(kind == 'hash' and 'HSCAN' or 'SSCAN', place, cursor, 'COUNT', count)
  local ids, width = {}, kind == 'hash' and 2 or 1
  for i = 1, #scanned[2], width do ids[#ids + 1] = scanned[2][i] end
  return { scanned[1], ids }
end
if kind ~= 'list' and kind ~= 'zset' then return { '0', {} } end
local last = cursor + count - 1
local ids = redis.call(kind == 'list' and 'LRANGE' or 'ZRANGE', place, cursor, last)
return { #ids < count and '0' or tostring(last + 1), ids }
