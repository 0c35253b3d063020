-- What an outcome says of the provider. The same words as src/model/words.ts.

-- true: it failed; false: it answered; nil: it says nothing, and the history does not take it.
local function failed(outcome)
  if outcome == 'healthy' or outcome == 'degraded' then
    return false
  elseif outcome == 'unhealthy' or outcome == 'timeout' or outcome == 'terminated' then
    return true
  end
end
