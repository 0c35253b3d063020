-- An outage: from the opening of a closed circuit until it closes, however many trials fail in between. The same rules
-- as src/rules/outage.ts.

-- @include lib/circuit

local OUTAGES_KEPT = 100

-- Notes an opening. `from`: the state before. `failure`: the outcome that caused it, in words; nil: a trip by hand.
local function note_opening(provider, from, failure)
  local circuit = provider.circuit
  if circuit.outage_since_ms == 0 then
    put(provider, 'outage_since_ms', provider.now)
    put(provider, 'outage_reason', circuit.reason)
    put(provider, 'outage_failure', failure)
    put(provider, 'outage_by', failure and 'rule' or 'hand')
  elseif failure and from == 'half_open' then
    put(provider, 'outage_trials', circuit.outage_trials + 1)
  end
end

-- Counts outcomes that failed while the circuit was not closed.
local function note_doomed(provider, count)
  if provider.circuit.outage_since_ms ~= 0 then
    put(provider, 'outage_doomed', provider.circuit.outage_doomed + count)
  end
end

-- Ends an outage, before the circuit closes, and keeps it in the stream.
local function end_outage(provider)
  local circuit = provider.circuit
  if circuit.outage_since_ms == 0 then
    return
  end
  redis.call(
    'XADD', provider.keys.outages, 'MAXLEN', OUTAGES_KEPT, '*',
    'from', as_text(circuit.outage_since_ms),
    'to', as_text(provider.now),
    'reason', outage_reason(circuit),
    'trials', as_text(circuit.outage_trials),
    'doomed', as_text(circuit.outage_doomed),
    'by', circuit.outage_by
  )
  put(provider, 'outage_since_ms', 0)
  put(provider, 'outage_reason', nil)
  put(provider, 'outage_failure', nil)
  put(provider, 'outage_by', nil)
  put(provider, 'outage_trials', 0)
  put(provider, 'outage_doomed', 0)
end
