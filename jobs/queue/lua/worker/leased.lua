-- leased: reads jobs, and whether a worker leases them.
-- ARGV[2]  worker
-- then     ids
-- returns  for the first ids, as many as fit into one answer: id, record or "", counts or "", 1 if it is leased
local ids, flat = {}, {}
for i = 3, #ARGV do ids[i - 2] = ARGV[i] end
local is_leased = redis.call('SMISMEMBER', key('lease:' .. ARGV[2]), unpack(ids))
for i, record in ipairs(read_records(ids)) do
  local count_text = redis.call('HGET', counts, ids[i])
  for _, value in ipairs({ ids[i], record or '', count_text or '', is_leased[i] }) do flat[#flat + 1] = value end
end
return flat
