-- What the probe's own settings say to the circuit. The same rules as src/rules/recovery.ts and flapping.ts.

local PROBELESS_INTERVALS = 3

-- The settings of the probe, out of the config hash; nil when there is none. Only asked for where it matters.
local function probe_settings(provider)
  local raw = redis.call('HGET', provider.keys.config, 'probe')
  return raw and cjson.decode(raw) or nil
end

-- How long calls still have to leave a half-open circuit to the probes, ms; 0: they may try it themselves.
local function left_to_probes_ms(provider)
  if provider.settings.recovery ~= 'probe' then
    return 0
  end
  local probe = probe_settings(provider)
  if not probe then
    return 0
  end
  local circuit = provider.circuit
  -- Not only a cooldown ends: a trip by hand does too, and a jitter lengthens both.
  local cooled_at_ms = circuit.retry_at_ms or (circuit.opened_at_ms or 0) + circuit.cooldown_ms
  local last_ms = math.max(circuit.probe_started_at_ms or 0, cooled_at_ms)
  return math.max(0, last_ms + PROBELESS_INTERVALS * probe.intervalMs - provider.now)
end

-- Takes one more result of a probe, good or bad. True when the circuit may judge it; one that is not believed yet is
-- history only.
local function follow_probe(provider, good)
  local circuit = provider.circuit
  local down = circuit.probe_down == 'true'
  if good ~= down then
    circuit.probe_against = 0
    return true
  end
  local probe = probe_settings(provider)
  local needed = probe and (good and probe.healthyAfter or probe.unhealthyAfter) or 1
  circuit.probe_against = circuit.probe_against + 1
  if circuit.probe_against < needed then
    return false
  end
  circuit.probe_down = good and 'false' or 'true'
  circuit.probe_against = 0
  return true
end
