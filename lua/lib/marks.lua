-- Marks: an operator's or a program's statement that overrides observation. They never touch the circuit.

local function change_mark(provider, kind, mark, reason, actor, until_ms)
  local circuit = provider.circuit
  local from = circuit.mark
  bump_version(provider)
  if ends_probes(from) or ends_probes(mark) then
    await_probe(circuit, math.min(provider.now, circuit.mark_until_ms or provider.now))
  end
  circuit.mark = mark
  circuit.mark_reason = mark and reason
  circuit.mark_actor = mark and actor
  circuit.mark_until_ms = until_ms
  circuit.mark_version = circuit.version
  announce(provider, kind, from, mark, reason, actor)
end

-- What the first writing script after a mark's end does.
local function expire_mark(provider)
  if provider.circuit.mark and not mark_at(provider.circuit, provider.now) then
    change_mark(provider, 'resumed', nil, 'the mark ended', '', nil)
  end
end
