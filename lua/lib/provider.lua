-- One provider within one script: its circuit, the settings that every batch is judged by, the time, and the changes.
--
-- The circuit hash is read whole, as a map (RESP3): that is one command. Fields of a later version are left as they
-- are. Values stay text, but for those of the clock, because each conversion costs a fifth of a microsecond. A block
-- that judges calls `complete` (lib/complete.lua) first, which converts all of them.

-- @include lib/text
-- @include lib/time

-- nil: the provider is not registered. A value that is no number counts as the default; workers see and report it.
local function load_settings(key)
  local set = redis.call('HMGET', key, 'revision', 'history.maxRecords', 'history.windowMs')
  return set[1] and {
    revision = set[1],
    max_records = tonumber(set[2]) or 100000,
    window_ms = tonumber(set[3]) or 60000,
  }
end

-- Returns nil and the clock's reading when the provider is not registered: then nothing may be written.
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
    -- Room for what nearly every batch touches: Lua would lay the table out again at 1, 2, 4 and 8 fields.
    touched = { applied = nil, next_slot_us = nil, history_total = nil, history_healthy = nil, history_newest = nil },
    written_at_ms = circuit.last_now_ms,
  }
  local offset_ms = circuit.clock_offset_ms
  provider.now = advance_clock(circuit, reading)
  if circuit.clock_offset_ms ~= offset_ms then
    provider.touched.clock_offset_ms = true
  end
  return provider, provider.now
end

-- The one function that changes a field of the circuit. 0, or nil for a text, is the default, which is not stored.
local function put(provider, field, value)
  local circuit = provider.circuit
  if circuit[field] ~= value then
    circuit[field] = value
    provider.touched[field] = true
  end
end

-- Whether a field is stored although it has its default: people look for it.
local function stays(field)
  return field == 'consecutive_failures' or field == 'opened_at_ms' or field == 'retry_at_ms'
    or field == 'heartbeat_progress'
end

-- Writes the circuit. A script that changed only the time writes nothing, so that an admission while closed is no
-- write. While a deadline is pending the time is stored: otherwise a clock that steps back would put the deadline off.
local function save(provider)
  local circuit, touched = provider.circuit, provider.touched
  if provider.window then
    provider.window.save(provider)
  end
  local wrote = provider.quorum and provider.quorum.save(provider)
  if not next(touched) and not wrote then
    local throttled = (circuit.throttled_until_ms or 0) + 0 > provider.now
    if circuit.state == 'closed' and not throttled and (circuit.mark_until_ms or 0) + 0 == 0 then
      return
    end
  end
  -- Room for seven fields at once: Lua would lay the table out again at 4, 8 and 16 values.
  local changed = { 'last_now_ms', as_text(provider.now), nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
  local n, gone, format = 2, nil, string.format
  for field in pairs(touched) do
    local value = circuit[field]
    if value == nil or (value == 0 and not stays(field)) then
      gone = gone or {}
      gone[#gone + 1] = field
    else
      -- As as_text does, without the cost of a call for each.
      changed[n + 1], changed[n + 2] = field, type(value) == 'number' and format('%d', value) or value
      n = n + 2
    end
  end
  redis.call('HSET', provider.keys.circuit, unpack(changed, 1, n))
  if gone then
    redis.call('HDEL', provider.keys.circuit, unpack(gone))
  end
end
