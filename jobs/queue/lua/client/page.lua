-- page: lists ids of one place from a cursor on.
-- ARGV[2]  key, the last part of its name   ARGV[3] cursor, 0 for the beginning   ARGV[4] about how many
-- returns  the next cursor or 0, ids (fewer when records are large)
local place, cursor, count = key(ARGV[2]), ARGV[3], tonumber(ARGV[4])

-- HSCAN returns records with the ids, and Redis takes some 2 ms to copy 1 MiB of them.
local MAX_BYTES = 512 * 1024
-- Fields per HSCAN, which may read that many of the longest records, or a few more, before they are measured.
local FEW = 2

local function scan_hash()
  local ids, bytes = {}, 0
  repeat
    local scanned = redis.call('HSCAN', place, cursor, 'COUNT', FEW)
    cursor = scanned[1]
    for i = 1, #scanned[2], 2 do
      ids[#ids + 1] = scanned[2][i]
      bytes = bytes + #scanned[2][i + 1]
    end
  until cursor == '0' or #ids >= count or bytes >= MAX_BYTES
  return { cursor, ids }
end

local kind = redis.call('TYPE', place).ok
if kind == 'hash' then return scan_hash() end
if kind == 'set' then return redis.call('SSCAN', place, cursor, 'COUNT', count) end
if kind ~= 'list' and kind ~= 'zset' then return { '0', {} } end
local last = cursor + count - 1
local ids = redis.call(kind == 'list' and 'LRANGE' or 'ZRANGE', place, cursor, last)
return { #ids < count and '0' or tostring(last + 1), ids }
