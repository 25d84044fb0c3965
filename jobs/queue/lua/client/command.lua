-- command: puts a command into the inboxes of workers, which answer through `reply`.
-- ARGV[2]  see `once`   ARGV[3] the command, one line of JSON
-- then     workers; none means all
-- returns  the registered ones among them
return once(function()
  local told = {}
  local asked = #ARGV > 3 and { unpack(ARGV, 4) } or redis.call('ZRANGE', workers, 0, -1)
  for _, worker in ipairs(asked) do
    if redis.call('ZSCORE', workers, worker) then
      redis.pcall('RPUSH', key('inbox:' .. worker), 'm' .. ARGV[3])
      told[#told + 1] = worker
    end
  end
  return told
end)
