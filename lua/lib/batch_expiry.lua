-- Forgets the batch ids of processes that were idle for ten minutes, a few whenever a new incarnation appears. Without
-- it the hash would grow with every process that ever ran.

local function forget_idle_batches(provider)
  local IDLE_MS, SAMPLE = 600000, 5
  local sampled = redis.call('HRANDFIELD', provider.keys.batches, SAMPLE, 'WITHVALUES')
  for i = 1, #sampled, 2 do
    local used_ms = tonumber(string.match(sampled[i + 1], ':(%d+)$'))
    if provider.now - used_ms > IDLE_MS then
      redis.call('HDEL', provider.keys.batches, sampled[i])
    end
  end
end
