-- A probe's good result at a closed circuit: nearly every result of a probe is one. The same as `judge` in lib/breaker.lua.

-- Whether nothing is taken back by it: no failure, no announced silence. Settings and marks are those that it was made by.
local function takes_nothing_back(provider, run)
  local circuit = provider.circuit
  return (run[5] or '') == ''
    and (run[7] or 0) == provider.settings.revision + 0
    and (run[8] or 0) == (circuit.mark_version or 0) + 0
    and not (circuit.probe_consecutive_failures or circuit.probe_contrary_streak)
    and not (circuit.probe_down or circuit.probe_overdue_at_ms)
end

local function note_good_probe(provider, run)
  local detail = run[9] or ''
  put(provider, 'last_probe_status', run[2])
  put(provider, 'last_probe_detail', detail ~= '' and detail or nil)
  put(provider, 'last_probe_at_ms', provider.now)
  if provider.circuit.probe_until_ms then
    put(provider, 'probe_until_ms', 0)
  end
end
