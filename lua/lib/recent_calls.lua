-- Client errors and ignored calls of the last window: their number, and the detail of the last one. The history does
-- not take them, but an operator wants to know. The same rules as src/rules/recent-calls.ts.
--
-- Two counters replace a list: one of the present stretch, which is one window long, and one of the stretch before it.
-- A reader takes of the latter the part that is still in the window, as if the calls had come evenly. The number is
-- exact while all of them came within one window.

local CLIENT_ERRORS = {
  count = 'client_errors',
  before = 'client_errors_before',
  since_ms = 'client_errors_since_ms',
  last = 'last_client_error',
}
local IGNORED = { count = 'ignored', before = 'ignored_before', since_ms = 'ignored_since_ms', last = 'last_ignored' }

-- fields: CLIENT_ERRORS or IGNORED. A run older than the window is not counted.
local function note_recent(provider, fields, run)
  local circuit, window_ms = provider.circuit, provider.settings.window_ms
  if run.count == 0 or (run.age_ms or 0) > window_ms then
    return
  end
  local since_ms = circuit[fields.since_ms]
  local old_ms = provider.now - since_ms
  if old_ms > 2 * window_ms then
    put(provider, fields.before, 0)
    put(provider, fields.count, 0)
    put(provider, fields.since_ms, provider.now)
  elseif old_ms > window_ms then
    put(provider, fields.before, circuit[fields.count])
    put(provider, fields.count, 0)
    put(provider, fields.since_ms, since_ms + window_ms)
  end
  put(provider, fields.count, circuit[fields.count] + run.count)
  put(provider, fields.last, run.detail ~= '' and run.detail or nil)
end

-- The number, and the detail of the last one; nil where that is not known, or none is in the window.
local function view_recent(provider, fields)
  local circuit, window_ms = provider.circuit, provider.settings.window_ms
  local old_ms, count = provider.now - circuit[fields.since_ms], 0
  if old_ms <= window_ms then
    local before = circuit[fields.before]
    count = circuit[fields.count] + math.floor(before * (window_ms - old_ms) / window_ms)
  elseif old_ms <= 2 * window_ms then
    count = math.floor(circuit[fields.count] * (2 * window_ms - old_ms) / window_ms)
  end
  return count, count > 0 and circuit[fields.last] or nil
end
