-- Calls that the provider answered, and whose fault was the caller's: how many of the last window, and what the last one saw.
-- The same rules as src/rules/client-errors.ts.
--
-- Two counters instead of a list: those of the present stretch, which is one window long, and those of the stretch before
-- it. A reader takes of the latter the part that is still in the window, as if they had come evenly. Exact while all of
-- them came within one window.

local function note_client_errors(provider, run)
  local circuit, window_ms = provider.circuit, provider.settings.window_ms
  if (run.age_ms or 0) > window_ms then
    return
  end
  local old_ms = provider.now - circuit.client_errors_since_ms
  if old_ms > 2 * window_ms then
    put(provider, 'client_errors_before', 0)
    put(provider, 'client_errors', 0)
    put(provider, 'client_errors_since_ms', provider.now)
  elseif old_ms > window_ms then
    put(provider, 'client_errors_before', circuit.client_errors)
    put(provider, 'client_errors', 0)
    put(provider, 'client_errors_since_ms', circuit.client_errors_since_ms + window_ms)
  end
  put(provider, 'client_errors', circuit.client_errors + run.count)
  put(provider, 'last_client_error', run.detail ~= '' and run.detail or nil)
end

-- How many, and what the last one saw; nil where it is not known, or none is in the window.
local function view_client_errors(provider)
  local circuit, window_ms = provider.circuit, provider.settings.window_ms
  local old_ms, count = provider.now - circuit.client_errors_since_ms, 0
  if old_ms <= window_ms then
    count = circuit.client_errors + math.floor(circuit.client_errors_before * (window_ms - old_ms) / window_ms)
  elseif old_ms <= 2 * window_ms then
    count = math.floor(circuit.client_errors * (2 * window_ms - old_ms) / window_ms)
  end
  return count, count > 0 and circuit.last_client_error or nil
end
