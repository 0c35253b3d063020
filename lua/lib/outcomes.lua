-- What an outcome says of the provider. The same words as src/model/words.ts.

-- true: it failed; false: it answered; nil: the history does not take it.
local function failed(outcome)
  if outcome == 'healthy' or outcome == 'degraded' then
    return false
  elseif outcome == 'unhealthy' or outcome == 'timeout' or outcome == 'terminated' then
    return true
  end
end

-- Whether the circuit counts it: as a failure where it failed, else as a success. With a client error the provider answered.
local function moves_circuit(outcome)
  return failed(outcome) ~= nil or outcome == 'client_error'
end
