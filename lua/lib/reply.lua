-- How every script that writes ends: it stores the circuit, appends its events to the stream, publishes one
-- snapshot if the version changed, and answers. All of it is atomic with the change.

-- @include lib/snapshot

local STREAM_LENGTH = 1000

local function append_to_stream(key, event)
  redis.call(
    'XADD', key, 'MAXLEN', '~', STREAM_LENGTH, '*',
    'kind', event.kind,
    'from', event.from,
    'to', event.to,
    'reason', event.reason,
    'generation', as_text(event.generation),
    'version', as_text(event.version),
    'worker', event.worker,
    'actor', event.actor,
    'at', as_text(event.at)
  )
end

-- A JSON array; cjson would write an empty one as an object.
local function events_json(events)
  local written = {}
  for i, event in ipairs(events) do
    written[i] = cjson.encode(event)
  end
  return '[' .. table.concat(written, ',') .. ']'
end

local function publish(caller, events, snapshot)
  local head = '{"providerId":' .. cjson.encode(caller.id) .. ',"events":'
  redis.call('PUBLISH', caller.channel, head .. events .. ',"snapshot":' .. snapshot .. '}')
end

local function unknown_reply(now)
  return { 'unknown_provider', as_text(now) }
end

local function late_reply(now)
  return { 'late', as_text(now) }
end

-- status, now_ms, applied, snapshot (empty when the caller knows the version), events; then what is given.
local function finish(provider, ...)
  local circuit, caller = provider.circuit, provider.caller
  save_circuit(provider.keys.circuit, circuit, provider.stored)
  for _, event in ipairs(provider.events) do
    append_to_stream(provider.keys.events, event)
  end
  local changed = circuit.version ~= provider.version_before
  local snapshot, events = '', ''
  if changed or circuit.version ~= caller.known_version then
    snapshot = snapshot_json(provider)
  end
  if changed then
    events = events_json(provider.events)
    publish(caller, events, snapshot)
  end
  local reply = { 'ok', as_text(provider.now), as_text(circuit.applied), snapshot, events }
  for i = 1, select('#', ...) do
    local value = select(i, ...)
    reply[#reply + 1] = type(value) == 'boolean' and (value and '1' or '0') or as_text(value)
  end
  return reply
end
