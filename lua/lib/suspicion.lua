-- Suspects an outage by how batches end under backpressure. The same rule as suspectOutage in src/rules/suspicion.ts.

-- @include lib/complete
-- @include lib/failure_threshold
-- @include lib/circuit
-- @include lib/outcomes

-- Where no number of failures opens the circuit: as many failing batches as the default threshold has failures.
local SUSPECT_AT = 3

-- Workers that were asked to wait hold old successes. After the provider has died, the first batch of each worker still
-- brings such successes, which end the run of failures. So when as many batches in a row as the threshold has failures
-- end in a failure, the version grows, once. Every worker whose failures are urgent then learns of it and sends what it
-- holds. Suspicion itself decides nothing.
local function suspect_outage(provider, last)
  local circuit = complete(provider)
  local origin, outcome, _, generation = unpack(last, 1, 4)
  local bad = failed(outcome)
  local outdated = generation + 0 ~= circuit.generation
  if not moves_circuit(outcome) or circuit.state ~= 'closed' or origin ~= 'call' or outdated then
    return
  elseif not bad then
    put(provider, 'failing_batches', 0)
    return
  end
  put(provider, 'failing_batches', circuit.failing_batches + 1)
  if circuit.failing_batches == (failure_threshold(provider) or SUSPECT_AT) then
    bump_version(provider)
  end
end
