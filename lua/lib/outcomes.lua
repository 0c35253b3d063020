-- Outcomes, and what they mean for the provider. The same words as src/model/words.ts.

-- true: it failed; false: it answered; nil: the history does not take it.
local function failed(outcome)
  if outcome == 'healthy' or outcome == 'degraded' then
    return false
  elseif outcome == 'unhealthy' or outcome == 'timeout' or outcome == 'terminated' then
    return true
  end
end

-- Whether the circuit counts this outcome, as a failure or as a success. A client error is a success: the provider
-- answered.
local function moves_circuit(outcome)
  return failed(outcome) ~= nil or outcome == 'client_error'
end
