-- One provider within one script: its circuit and settings, the time, and what is to be announced.

-- @include lib/circuit
-- @include lib/settings
-- @include lib/overdue

-- nil and the clock's reading when the provider is not registered: then nothing may be written.
local function open_provider(keys, caller)
  local reading = clock_reading_ms()
  local circuit, stored = load_circuit(keys.circuit)
  local settings = circuit and load_settings(keys.config)
  if not settings then
    return nil, reading
  end
  local provider = {
    keys = keys,
    caller = caller,
    circuit = circuit,
    stored = stored,
    settings = settings,
    events = {},
    version_before = circuit.version,
  }
  provider.now = advance_clock(circuit, reading)
  return provider, provider.now
end

-- Something that workers must know changed without a transition.
local function bump_version(provider)
  provider.circuit.version = next_number(provider.circuit.version, provider.now)
end

local function announce(provider, kind, from, to, reason, actor)
  local circuit = provider.circuit
  provider.events[#provider.events + 1] = {
    kind = kind,
    providerId = provider.caller.id,
    from = from or '',
    to = to or '',
    reason = reason or '',
    generation = circuit.generation,
    version = circuit.version,
    worker = provider.caller.worker,
    actor = actor or '',
    at = provider.now,
  }
end

-- The one way a circuit changes its state: one generation, one version, one event, no lease left.
local function transition(provider, kind, to, reason, actor)
  local circuit = provider.circuit
  local from = circuit.state
  circuit.state = to
  circuit.state_since_ms = provider.now
  circuit.reason = reason
  circuit.consecutive_successes = 0
  circuit.failing_batches = 0
  circuit.generation = next_number(circuit.generation, provider.now)
  bump_version(provider)
  redis.call('DEL', provider.keys.trials)
  announce(provider, kind, from, to, reason, actor)
end
