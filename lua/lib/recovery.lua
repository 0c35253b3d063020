-- Settings of the probe that matter to the circuit. The same rules as src/rules/recovery.ts and hysteresis.ts.

-- @include lib/complete

local PROBELESS_INTERVALS = 3

-- Reads the settings of the probe from the config hash; nil when there is none that can be read. A probe that a later
-- version wrote may lack a setting that is read here.
local function probe_settings(provider)
  local raw = redis.call('HGET', provider.keys.config, 'probe')
  local read, probe = pcall(cjson.decode, raw or '')
  return read and type(probe) == 'table' and probe or nil
end

-- How long a half-open circuit is still left to the probes, ms; 0: calls may try it.
local function left_to_probes_ms(provider)
  if setting(provider, 'breaker.recovery') ~= 'probe' then
    return 0
  end
  local probe = probe_settings(provider)
  local interval_ms = probe and tonumber(probe.intervalMs)
  if not interval_ms then
    return 0
  end
  local circuit = provider.circuit
  -- Counted from retry_at_ms and not from the cooldown: a trip by hand ends too, and a jitter lengthens both.
  local cooled_at_ms = circuit.retry_at_ms
  if cooled_at_ms == 0 then
    cooled_at_ms = circuit.opened_at_ms + circuit.cooldown_ms
  end
  local last_ms = math.max(circuit.probe_started_at_ms, cooled_at_ms)
  return math.max(0, last_ms + PROBELESS_INTERVALS * interval_ms - provider.now)
end

-- Counts one more result of a probe. Returns whether the circuit may judge it: a result that is not confirmed yet only
-- enters the history.
local function follow_probe(provider, good)
  local circuit = provider.circuit
  local down = circuit.probe_down == 'true'
  if good ~= down then
    put(provider, 'probe_contrary_streak', 0)
    return true
  end
  local probe = probe_settings(provider)
  local needed = probe and tonumber(good and probe.healthyAfter or probe.unhealthyAfter) or 1
  if circuit.probe_contrary_streak + 1 < needed then
    put(provider, 'probe_contrary_streak', circuit.probe_contrary_streak + 1)
    return false
  end
  put(provider, 'probe_down', not good and 'true' or nil)
  put(provider, 'probe_contrary_streak', 0)
  return true
end
