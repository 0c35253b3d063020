-- How every script that may write ends: it stores what changed, announces it, and answers. All of it is atomic.

-- @include lib/provider

local function unknown_reply(now)
  return { 'unknown_provider', now }
end

local function late_reply(now)
  return { 'late', now }
end

-- status, now_ms, applied, snapshot (empty when the caller knows the version), events; then what is given.
local function finish(provider, ...)
  local circuit = provider.circuit
  save(provider)
  local reply = { 'ok', provider.now, circuit.applied, '', '', ... }
  if circuit.version ~= provider.version_before or circuit.version ~= provider.caller.known_version then
    -- @include lib/announcement
    reply[4], reply[5] = publish_change(provider)
  end
  for i = 6, 5 + select('#', ...) do
    local value = reply[i]
    if value == true then
      reply[i] = '1'
    elseif not value then
      reply[i] = value == false and '0' or ''
    end
  end
  return reply
end
