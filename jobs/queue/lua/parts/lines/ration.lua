-- ration: the records of the first of some ids, as many as go into one answer; at least one.

-- Most bytes of records in one answer: it has a deadline, and a claim that misses it would be told the same for ever.
local MAX_BYTES = 8 * 1024 * 1024
-- Records read in the first command, and twice as many in each that follows: little is read in vain when they are large.
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
