-- store: writes the records of a group of jobs, `count` pairs of id and record from ARGV[from] on. Adds a word for each job
-- to `words`. Returns the new ids, and a function that gives the record of the i-th new id.

-- Handles a group in which some jobs are known.
local function sort_out(from, ids, known, words)
  local fresh, records, seen = {}, {}, {}
  for i, id in ipairs(ids) do
    local record = ARGV[from + 2 * i - 1]
    local stored = known[i] or seen[id]
    if not stored then
      seen[id] = record
      fresh[#fresh + 1], records[#records + 1] = id, record
      words[#words + 1] = 'added'
    else
      words[#words + 1] = digest_of(stored) == digest_of(record) and 'exists' or 'conflict'
    end
  end
  for i, id in ipairs(fresh) do redis.call('HSET', jobs, id, records[i]) end
  return fresh, function(i) return records[i] end
end

-- Usually all jobs are new, and one HSET takes the arguments as they came. Its reply detects an id repeated in the group,
-- which adds no field.
local function store(from, count, words)
  local ids, all_new = {}, true
  for i = 1, count do ids[i] = ARGV[from + 2 * i - 2] end
  local known = redis.call('HMGET', jobs, unpack(ids))
  for i = 1, count do
    if known[i] then all_new = false end
  end
  local last = from + 2 * count - 1
  if all_new and redis.call('HSET', jobs, unpack(ARGV, from, last)) == count then
    for _ = 1, count do words[#words + 1] = 'added' end
    return ids, function(i) return ARGV[from + 2 * i - 1] end
  end
  return sort_out(from, ids, known, words)
end
