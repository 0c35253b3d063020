-- The end of every script that may write: it stores what changed, announces it, and replies. All of it is atomic.

-- @include lib/provider

-- Replies status, now_ms, applied, snapshot (empty when the caller knows the version), events, and then the values
-- given. Empty, false and 0 values at the end are left out: each costs an eighth of a microsecond, and nearly all
-- replies have none else.
local function finish(provider, ...)
  save(provider)
  local circuit = provider.circuit
  local reply = { 'ok', provider.now, circuit.applied or 0, nil, nil }
  if provider.events or as_text(circuit.version or 0) ~= provider.caller.known_version then
    -- @include lib/announcement
    reply[4], reply[5] = publish_change(provider)
  end
  local n = select('#', ...)
  if n == 0 then
    return reply
  end
  local values = { ... }
  while n > 0 and (not values[n] or values[n] == '' or values[n] == 0) do
    n = n - 1
  end
  if n > 0 then
    reply[4], reply[5] = reply[4] or '', reply[5] or ''
  end
  for i = 1, n do
    local value = values[i]
    reply[5 + i] = value == true and '1' or value or (value == false and '0' or '')
  end
  return reply
end
