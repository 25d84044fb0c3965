-- ration: reads the records of the first ids, as many as fit into one answer; at least one.

-- An answer has a deadline, and a retried claim that misses it would get the same large answer every time.
local MAX_BYTES = 8 * 1024 * 1024
-- Records in the first read; each later read doubles the number, so that little is read in vain when records are large.
local FIRST_READ = 8

local function read_records(ids)
  local records, bytes, size = {}, 0, FIRST_READ
  while #records < #ids do
    local read = #records
    for i, record in ipairs(redis.call('HMGET', jobs, unpack(ids, read + 1, math.min(read + size, #ids)))) do
      bytes = bytes + (record and #record or 0)
      if bytes > MAX_BYTES and #records > 0 then return records end
      records[read + i] = record
    end
    size = size * 2
  end
  return records
end
