-- The end of every script that may write: it stores what changed, announces it, and replies. All of it is atomic.

-- @include lib/provider

-- Replies status, now_ms, applied, snapshot (empty when the caller knows the version), events, and then the values
-- given. Empty, false and 0 values at the end are left out: each costs an eighth of a microsecond, and nearly all
-- replies have none else.
local function finish(provider, ...)
  save(provider)
  local reply, n = { 'ok', provider.now, provider.circuit.applied or 0, '', '', ... }, 5 + select('#', ...)
  if provider.events or provider.touched.version or provider.version_before ~= provider.caller.known_version then
    -- @include lib/announcement
    reply[4], reply[5] = publish_change(provider)
  end
  while n > 3 and (not reply[n] or reply[n] == '' or reply[n] == 0) do
    reply[n], n = nil, n - 1
  end
  for i = 6, n do
    local value = reply[i]
    if value == true then
      reply[i] = '1'
    elseif not value then
      reply[i] = value == false and '0' or ''
    end
  end
  return reply
end
