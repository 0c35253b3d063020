-- Announces a change: events go to the stream, and one message has the events and the snapshot.

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

-- Publishes a change, and returns the snapshot and the events for the reply.
local function publish_change(provider)
  local made = provider.events or {}
  for _, event in ipairs(made) do
    append_to_stream(provider.keys.events, event)
  end
  local snapshot = snapshot_json(provider)
  if not provider.events and not provider.touched.version then
    return snapshot, ''
  end
  local events = events_json(made)
  publish(provider.caller, events, snapshot)
  return snapshot, events
end
