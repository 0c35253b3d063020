-- How many failures in a row open the circuit. Only a batch that has failures asks for it.

-- nil: no number of failures does. A value that is no number counts as the default; workers see and report it.
local function failure_threshold(provider)
  local settings = provider.settings
  if settings.failure_threshold == nil then
    local text = redis.call('HGET', provider.keys.config, 'breaker.failureThreshold')
    settings.failure_threshold = text ~= 'null' and (tonumber(text) or 3)
  end
  return settings.failure_threshold or nil
end
