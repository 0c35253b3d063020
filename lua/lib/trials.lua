-- Trial leases: a sorted set of token -> deadline. The end of a lease frees its slot and changes nothing else.

-- @include lib/circuit

local function drop_expired_trials(provider)
  redis.call('ZREMRANGEBYSCORE', provider.keys.trials, '-inf', as_text(provider.now))
end

-- The number of leases that have not ended, and the earliest deadline among them.
local function live_trials(provider)
  local alive = '(' .. as_text(provider.now)
  local first = redis.call('ZRANGEBYSCORE', provider.keys.trials, alive, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return redis.call('ZCOUNT', provider.keys.trials, alive, '+inf'), tonumber(first[2] or '')
end

-- Frees the slot of a trial that made no transition. The version grows, because workers wait for the slot.
local function free_slot(provider, token)
  if token ~= '' and redis.call('ZREM', provider.keys.trials, token) == 1 then
    bump_version(provider)
  end
end

-- Stores the step from open to half-open once its time has come. Returns whether it was made now.
local function enter_half_open(provider)
  if provider.circuit.state ~= 'open' then
    return false
  end
  transition(provider, 'half_opened', 'half_open', 'cooldown over')
  put(provider, 'retry_at_ms', 0)
  return true
end
