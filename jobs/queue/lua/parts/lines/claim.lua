-- claim: leases waiting jobs to one worker, and ends those that must not run.

-- Returns whether a popped job may run. A revoked job is retained here; an expired or unreadable job is ended here.
local function runnable(id, record, at)
  if not record then return false end
  local kind = string.sub(record, 1, 2)
  if kind == 'e1' then
    local expires_ms = tonumber(string.match(record, '^[^\n]-"x":(%d+)'))
    if expires_ms and expires_ms > at then return true end
    redis.call('HSET', jobs, id, 'x1' .. with_attempts('{"code":"JOB_EXPIRED"}', id) .. '\n' .. record)
    announce('revoked', { id })
  elseif kind == 'r1' or kind == 'f1' then
    return false
  elseif kind ~= 'x1' then
    bury_corrupt(id, record, at)
    announce('failed', { id })
    return false
  end
  retain({ id }, #record, at)
  return false
end

-- Returns ids, records and counts of the claimed jobs as three lists (no counts when no job has any), and whether more may be
-- waiting. The common case costs little per job: a record that begins with a `v` may run.
local function claim(worker, queues, first, want, lowest_first, at)
  local ids, origins = pop(queues, first, want, lowest_first)
  if #ids == 0 then return ids, {}, {}, false end
  local popped, records, dropped = #ids, read_records(ids), {}
  if #records < popped then put_back_popped(ids, origins, #records) end
  for i = #ids, 1, -1 do
    local record = records[i]
    if not (record and string.byte(record) == 118) and not runnable(ids[i], record, at) then
      dropped[#dropped + 1] = table.remove(ids, i)
      table.remove(records, i)
    end
  end
  if #dropped > 0 then forget(dropped) end
  if #ids == 0 then return ids, {}, {}, true end
  redis.call('SADD', key('lease:' .. worker), unpack(ids))
  local count_texts = {}
  if redis.call('HLEN', counts) > 0 then
    for i, text in ipairs(redis.call('HMGET', counts, unpack(ids))) do count_texts[i] = text or '' end
  end
  return ids, records, count_texts, popped == want or #ids < popped
end
