-- Marks: statements of an operator or a program that override observation. A mark never changes the circuit.

-- @include lib/circuit
-- @include lib/overdue

local function change_mark(provider, kind, mark, reason, actor, until_ms)
  local circuit = provider.circuit
  local from, ended_at_ms = circuit.mark, circuit.mark_until_ms
  bump_version(provider)
  if ends_probes(from) or ends_probes(mark) then
    await_probe(provider, ended_at_ms == 0 and provider.now or math.min(provider.now, ended_at_ms))
  end
  put(provider, 'mark', mark)
  put(provider, 'mark_reason', mark and reason ~= '' and reason or nil)
  put(provider, 'mark_actor', mark and actor ~= '' and actor or nil)
  put(provider, 'mark_until_ms', until_ms or 0)
  put(provider, 'mark_version', circuit.version)
  announce(provider, kind, from, mark, reason, actor)
end

-- Announces the end of a mark. The first script that writes after that end does it.
local function expire_mark(provider)
  if provider.circuit.mark and not mark_at(provider.circuit, provider.now) then
    change_mark(provider, 'resumed', nil, 'the mark ended', '', nil)
  end
end
