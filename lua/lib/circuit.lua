-- The state of a circuit at a moment, and the one function that changes it. Needs lib/provider and a complete circuit.

-- The next generation or version: one more than before, and never below the clock, so that none repeats after a wipe.
local function next_number(stored, now)
  return math.max((stored or 0) + 1, now)
end

-- The state as every reader sees it: from retry_at_ms on, an open circuit is half-open. A circuit that was opened by
-- hand without an end has no such time.
local function state_at(circuit, now)
  if circuit.state == 'open' and circuit.retry_at_ms ~= 0 and now >= circuit.retry_at_ms then
    return 'half_open'
  end
  return circuit.state
end

-- The mark as every reader sees it: from its end on there is none.
local function mark_at(circuit, now)
  if circuit.mark and circuit.mark_until_ms ~= 0 and now >= circuit.mark_until_ms then
    return nil
  end
  return circuit.mark
end

-- The reason of the state in words. The hash keeps it in two parts: Redis stores a hash compactly while no value is
-- longer than 64 bytes.
local function join_reason(reason, failure)
  return failure and reason .. (reason == 'trial failed' and ': ' or ', last: ') .. failure or reason
end

local function reason_text(circuit)
  return join_reason(circuit.reason, circuit.last_failure)
end

-- The reason of the first opening of this outage; nil while there is no outage.
local function outage_reason(circuit)
  return circuit.outage_reason and join_reason(circuit.outage_reason, circuit.outage_failure)
end

-- How long the circuit was open or half-open since registration, ms.
local function open_ms(circuit, now)
  local present_ms = circuit.state == 'closed' and 0 or now - circuit.state_since_ms
  return circuit.open_ms_total + present_ms
end

-- Announces to workers a change without a transition, such as a freed trial.
local function bump_version(provider)
  put(provider, 'version', next_number(provider.circuit.version, provider.now))
end

local function announce(provider, kind, from, to, reason, actor)
  local circuit = provider.circuit
  provider.events = provider.events or {}
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

-- Each transition makes one generation, one version and one event, and leaves no lease. `failure`: its cause, in words.
local function transition(provider, kind, to, reason, actor, failure)
  local circuit = provider.circuit
  local from = circuit.state
  local total = kind .. '_total'
  put(provider, total, circuit[total] + 1)
  put(provider, 'open_ms_total', open_ms(circuit, provider.now))
  put(provider, 'state', to)
  put(provider, 'state_since_ms', provider.now)
  put(provider, 'reason', reason)
  put(provider, 'last_failure', failure)
  put(provider, 'consecutive_successes', 0)
  put(provider, 'failing_batches', 0)
  put(provider, 'generation', next_number(circuit.generation, provider.now))
  bump_version(provider)
  redis.call('DEL', provider.keys.trials)
  announce(provider, kind, from, to, reason_text(circuit), actor)
end

-- The quorum, and what can be done with it; nil where none is set, and then nothing of it is made or read.
local function quorum_of(provider)
  if not provider.circuit.judged_by then
    return nil
  elseif provider.quorum == nil then
    -- @include lib/quorum
    provider.quorum = open_quorum(provider) or false
  end
  return provider.quorum or nil
end

-- The runs of failures of all domains start over.
local function forget_runs(provider)
  local quorum = quorum_of(provider)
  if quorum then
    quorum.without_runs(quorum.domains)
  end
end
