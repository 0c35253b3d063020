-- One provider within one script: its circuit, what every batch is judged by of its settings, the time, and what this
-- script changes.
--
-- The circuit hash is read whole, as a map (RESP3): one command, and what a later version keeps there is left as it is.
-- Its values are text, but for the clock's, and a number costs Redis a fifth of a microsecond to read. A block that judges
-- calls `complete` (lib/complete.lua) first, which makes numbers of all of them, 0 where they are absent.

-- @include lib/text
-- @include lib/time

-- nil when there are none: the provider is not registered. A value that cannot be read counts as its default; workers see
-- that it cannot, and say so.
local function load_settings(key)
  local set = redis.call(
    'HMGET', key, 'revision', 'breaker.failureThreshold', 'history.maxRecords', 'history.windowMs'
  )
  return set[1] and {
    revision = set[1],
    failure_threshold = tonumber(set[2]) or 3,
    max_records = tonumber(set[3]) or 100000,
    window_ms = tonumber(set[4]) or 60000,
  }
end

-- nil and the clock's reading when the provider is not registered: then nothing may be written.
local function open_provider(keys, caller)
  local reading = clock_reading_ms()
  redis.setresp(3)
  local circuit = redis.call('HGETALL', keys.circuit).map
  redis.setresp(2)
  local settings = circuit.state and load_settings(keys.config)
  if not settings then
    return nil, reading
  end
  circuit.last_now_ms = (circuit.last_now_ms or 0) + 0
  circuit.clock_offset_ms = (circuit.clock_offset_ms or 0) + 0
  local provider = {
    keys = keys,
    caller = caller,
    circuit = circuit,
    settings = settings,
    touched = {},
    version_before = circuit.version or '0',
    written_at_ms = circuit.last_now_ms,
  }
  local offset_ms = circuit.clock_offset_ms
  provider.now = advance_clock(circuit, reading)
  if circuit.clock_offset_ms ~= offset_ms then
    provider.touched.clock_offset_ms = true
  end
  return provider, provider.now
end

-- The one way a field of the circuit changes. 0, or nil for a text: it takes its default, and is not kept.
local function put(provider, field, value)
  local circuit = provider.circuit
  if circuit[field] ~= value then
    circuit[field] = value
    provider.touched[field] = true
  end
end

-- Whether a field is there whatever it holds: people look for it. Every other is absent while it has its default.
local function stays(field)
  return field == 'consecutive_failures' or field == 'opened_at_ms' or field == 'retry_at_ms'
    or field == 'heartbeat_progress'
end

-- Writes the circuit. A script that changed nothing but the time, while no deadline waits for it, writes nothing: an
-- admission while closed is no write. While one waits the time is kept, or a clock that steps back would put it off.
local function save(provider)
  local circuit, touched = provider.circuit, provider.touched
  if not next(touched) then
    local throttled = (circuit.throttled_until_ms or 0) + 0 > provider.now
    if circuit.state == 'closed' and not throttled and (circuit.mark_until_ms or 0) + 0 == 0 then
      return
    end
  end
  -- With room for seven fields: a table that grows is laid out again at 4, 8 and 16 values.
  local changed = { 'last_now_ms', as_text(provider.now), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
  local n, gone = 2, nil
  for field in pairs(touched) do
    local value = circuit[field]
    if value == nil or (value == 0 and not stays(field)) then
      gone = gone or {}
      gone[#gone + 1] = field
    else
      changed[n + 1], changed[n + 2] = field, as_text(value)
      n = n + 2
    end
  end
  redis.call('HSET', provider.keys.circuit, unpack(changed, 1, n))
  if gone then
    redis.call('HDEL', provider.keys.circuit, unpack(gone))
  end
end
