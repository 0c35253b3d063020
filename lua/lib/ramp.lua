-- The ramp: after trials closed the circuit, workers let through a growing share of calls, each by its own draw. Here is
-- kept when it ends; the cooldown stays until then. The same rules as src/rules/ramp.ts.

-- @include lib/complete

-- Trials closed the circuit: the ramp begins and the cooldown stays, or the cooldown starts over at once.
local function begin_ramp(provider)
  local ramp_ms = number_setting(provider, 'breaker.recoveryRampMs')
  if ramp_ms > 0 then
    put(provider, 'ramp_until_ms', provider.now + ramp_ms)
  else
    put(provider, 'cooldown_ms', 0)
  end
end

-- The cooldown as every reader sees it: the end of a ramp resets it.
local function cooldown_at(circuit, now)
  if circuit.ramp_until_ms ~= 0 and now >= circuit.ramp_until_ms then
    return 0
  end
  return circuit.cooldown_ms
end

-- An opening ends the ramp. During it the cooldown stays, for the opening to grow on.
local function end_ramp(provider)
  put(provider, 'cooldown_ms', cooldown_at(provider.circuit, provider.now))
  put(provider, 'ramp_until_ms', 0)
end
