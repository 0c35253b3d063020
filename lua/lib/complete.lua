-- Completes a circuit: every numeric field becomes a number, 0 where it is absent.

-- @include lib/fields

local function complete(provider)
  local circuit = provider.circuit
  for _, field in ipairs(NUMBERS) do
    circuit[field] = (circuit[field] or 0) + 0
  end
  -- Not among NUMBERS: a progress of 0 is a report, and no report is none.
  circuit.heartbeat_progress = tonumber(circuit.heartbeat_progress or '')
  return circuit
end

-- Reads one setting that only some states need: its text, or its default where an older version registered the
-- provider.
local function setting(provider, name)
  return redis.call('HGET', provider.keys.config, name) or SETTING_DEFAULTS[name]
end

-- Reads such a setting as a number. A value that is no number counts as the default.
local function number_setting(provider, name)
  return tonumber(redis.call('HGET', provider.keys.config, name)) or SETTING_DEFAULTS[name] + 0
end
