-- The rest of a circuit: every field that is a number becomes one, 0 where it is absent.

-- @include lib/fields

local function complete(provider)
  local circuit = provider.circuit
  for _, field in ipairs(NUMBERS) do
    circuit[field] = (circuit[field] or 0) + 0
  end
  -- 0 is far from none.
  circuit.heartbeat_progress = tonumber(circuit.heartbeat_progress or '')
  return circuit
end

-- One setting of many that only some states need: its text, or its default where an older version registered the provider.
local function setting(provider, name)
  return redis.call('HGET', provider.keys.config, name) or SETTING_DEFAULTS[name]
end

-- The same as a number; a value that cannot be read counts as its default.
local function number_setting(provider, name)
  return tonumber(redis.call('HGET', provider.keys.config, name)) or SETTING_DEFAULTS[name] + 0
end
