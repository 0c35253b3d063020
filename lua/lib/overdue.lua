-- Since when a probe's result is awaited, and what ends a silence. The same rules as src/rules/overdue.ts.

-- Whether a mark ends the loop of the probes.
local function ends_probes(mark)
  return mark ~= nil and mark ~= 'degraded'
end

-- Begins to wait again, because the settings or a mark changed; an announced silence is over.
local function await_probe(provider, since_ms)
  put(provider, 'probe_awaited_since_ms', math.max(provider.circuit.probe_awaited_since_ms, since_ms))
  put(provider, 'probe_overdue_at_ms', 0)
end

-- The moment since which a result is awaited: the last result, or such a change. During a pause, or a mark that ends
-- the probes, none is awaited, so that this moment may lie ahead.
local function probe_awaited_since(circuit)
  local marked_until_ms = ends_probes(circuit.mark) and circuit.mark_until_ms or 0
  return math.max(
    circuit.probe_awaited_since_ms, circuit.last_probe_at_ms, circuit.throttled_until_ms, marked_until_ms
  )
end
