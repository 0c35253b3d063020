-- What the probe's own settings say to the circuit. The same rules as src/rules/recovery.ts and flapping.ts.

-- @include lib/complete

local PROBELESS_INTERVALS = 3

-- The settings of the probe, out of the config hash; nil when there is none, or none that can be read. One that a later
-- version wrote may lack what is read here.
local function probe_settings(provider)
  local raw = redis.call('HGET', provider.keys.config, 'probe')
  local read, probe = pcall(cjson.decode, raw or '')
  return read and type(probe) == 'table' and probe or nil
end

-- How long calls still have to leave a half-open circuit to the probes, ms; 0: they may try it themselves.
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
  -- Not only a cooldown ends: a trip by hand does too, and a jitter lengthens both.
  local cooled_at_ms = circuit.retry_at_ms
  if cooled_at_ms == 0 then
    cooled_at_ms = circuit.opened_at_ms + circuit.cooldown_ms
  end
  local last_ms = math.max(circuit.probe_started_at_ms, cooled_at_ms)
  return math.max(0, last_ms + PROBELESS_INTERVALS * interval_ms - provider.now)
end

-- Takes one more result of a probe, good or bad. True when the circuit may judge it; one that is not believed yet is
-- history only.
local function follow_probe(provider, good)
  local circuit = provider.circuit
  local down = circuit.probe_down == 'true'
  if good ~= down then
    put(provider, 'probe_against', 0)
    return true
  end
  local probe = probe_settings(provider)
  local needed = probe and tonumber(good and probe.healthyAfter or probe.unhealthyAfter) or 1
  if circuit.probe_against + 1 < needed then
    put(provider, 'probe_against', circuit.probe_against + 1)
    return false
  end
  put(provider, 'probe_down', not good and 'true' or nil)
  put(provider, 'probe_against', 0)
  return true
end
