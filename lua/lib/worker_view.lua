-- Looks at the calls of each worker. The same rules as src/rules/worker-tallies.ts. Needs lib/worker_tally.

-- Takes the lease, or prolongs it. One that has run out leaves nothing behind.
local function look(provider)
  local LEASE_MS, RENEW_BELOW_MS = 30000, 20000
  local circuit, key, now = provider.circuit, provider.keys.workers, provider.now
  local left_ms = circuit.viewed_until_ms - now
  if left_ms > RENEW_BELOW_MS then
    return
  elseif left_ms <= 0 then
    redis.call('DEL', key)
    put(provider, 'viewed_since_ms', now)
    bump_version(provider)
  end
  put(provider, 'viewed_until_ms', now + LEASE_MS)
  redis.call('PEXPIRE', key, LEASE_MS)
end

-- [worker, calls, failures, in_a_row, last_ms], ... Those that have been silent for both stretches are forgotten. O(workers)
local function read_tallies(provider)
  local key, found, silent = provider.keys.workers, {}, {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local worker, text = fields[i], fields[i + 1]
    local _, calls, failures, before, failures_before, in_a_row = read_tally(text, provider.now)
    if calls + before > 0 then
      local last_ms = string.match(text, '%d+$') + 0
      found[#found + 1] = { worker, calls + before, failures + failures_before, in_a_row, last_ms }
    else
      silent[#silent + 1] = worker
    end
  end
  if silent[1] then
    redis.call('HDEL', key, unpack(silent))
  end
  return found
end
