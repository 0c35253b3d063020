-- The circuit hash as a table: numbers are numbers, an empty field is nil, and only what changed is written.

--
-- A hash this small is searched from its front, field by field, so the fields that every outcome needs stand
-- first, and are read at once; the others are read when the first of them is asked for, at a transition, a mark, a
-- probe or a snapshot.

local HOT_FIELDS = {
  'state', 'mark', 'generation', 'version',
  'consecutive_failures', 'probe_consecutive_failures', 'consecutive_successes',
  'retry_at_ms', 'cooldown_ms', 'throttled_until_ms', 'mark_until_ms', 'mark_version',
  'history_total', 'history_healthy', 'history_coalesced_to_ms',
  'failing_batches', 'next_slot_us',
  'last_now_ms', 'clock_offset_ms', 'applied',
}
local COLD_FIELDS = {
  'reason', 'mark_reason', 'mark_actor', 'last_probe_status', 'last_probe_detail',
  'opened_at_ms', 'last_probe_at_ms', 'probe_started_at_ms',
}
local HOT_TEXTS, COLD_TEXTS = 2, 5

-- Puts the values of `fields` into both tables; the first `texts` of them are texts, the others numbers.
local function spread(fields, texts, raw, circuit, stored)
  for i = 1, #fields do
    local value = raw[i]
    if value and value ~= '' then
      if i > texts then
        value = tonumber(value)
      end
      rawset(circuit, fields[i], value)
      stored[fields[i]] = value
    end
  end
end

-- Reads the other fields, once. Whoever writes one of them must have called this before.
local function load_cold(provider)
  if provider.stored and not provider.stored.cold then
    provider.stored.cold = true
    local raw = redis.call('HMGET', provider.keys.circuit, unpack(COLD_FIELDS))
    spread(COLD_FIELDS, COLD_TEXTS, raw, provider.circuit, provider.stored)
  end
end

-- The table, and a copy of it as it is stored; nil when there is no such provider.
local function load_circuit(key)
  local raw = redis.call('HMGET', key, unpack(HOT_FIELDS))
  if not raw[1] then
    return nil
  end
  local circuit, stored = {}, {}
  spread(HOT_FIELDS, HOT_TEXTS, raw, circuit, stored)
  return circuit, stored
end

-- All numbers are whole. %.0f, because Lua writes 1e+15 where Redis wants digits.
local function as_text(value)
  if type(value) == 'number' then
    return string.format('%.0f', value)
  end
  return value or ''
end

-- Whether a deadline is pending: then the time itself must be kept, or a clock that steps back would put it off.
local function awaits_deadline(circuit)
  return circuit.state ~= 'closed' or circuit.throttled_until_ms > circuit.last_now_ms or circuit.mark_until_ms ~= nil
end

local function collect_changes(fields, circuit, stored, changed)
  local n = #changed
  for i = 1, #fields do
    local field = fields[i]
    local value = circuit[field]
    if not stored or value ~= stored[field] then
      changed[n + 1], changed[n + 2] = field, as_text(value)
      n = n + 2
    end
  end
end

-- A new circuit, which has nothing stored, is written in full. A script that changed nothing but the time, while
-- nothing waits for it, writes nothing: an admission while closed is no write.
local function save_circuit(key, circuit, stored)
  local changed = {}
  collect_changes(HOT_FIELDS, circuit, stored, changed)
  if not stored or stored.cold then
    collect_changes(COLD_FIELDS, circuit, stored, changed)
  end
  local only_time = #changed == 2 and changed[1] == 'last_now_ms'
  if #changed > 0 and (not only_time or awaits_deadline(circuit)) then
    redis.call('HSET', key, unpack(changed))
  end
end

-- Generations and versions: one more than before, and never below the clock, so that they never repeat.
local function next_number(stored, now)
  return math.max((stored or 0) + 1, now)
end

-- A circuit nobody has used. `known` bears the numbers of a life before a wipe, or is empty.
local function new_circuit(now, known)
  return {
    state = 'closed',
    generation = next_number(known.generation, now),
    version = next_number(known.version, now),
    consecutive_failures = 0,
    probe_consecutive_failures = 0,
    consecutive_successes = 0,
    cooldown_ms = 0,
    throttled_until_ms = 0,
    mark_version = 0,
    history_total = 0,
    history_healthy = 0,
    history_coalesced_to_ms = 0,
    failing_batches = 0,
    next_slot_us = 0,
    last_now_ms = now,
    clock_offset_ms = 0,
    applied = 0,
  }
end

-- The clock may step back (NTP, failover). A reading below the last one raises the offset by the
-- difference, for good, so that the provider's time only goes forward.
local function advance_clock(circuit, reading)
  local now = reading + circuit.clock_offset_ms
  if now < circuit.last_now_ms then
    circuit.clock_offset_ms = circuit.clock_offset_ms + circuit.last_now_ms - now
    now = circuit.last_now_ms
  end
  circuit.last_now_ms = now
  return now
end

-- The state as every reader sees it: at exactly retry_at_ms and after, an open circuit is half-open.
local function state_at(circuit, now)
  if circuit.state == 'open' and circuit.retry_at_ms and now >= circuit.retry_at_ms then
    return 'half_open'
  end
  return circuit.state
end

-- The mark as every reader sees it: from its end on there is none.
local function mark_at(circuit, now)
  if circuit.mark and circuit.mark_until_ms and now >= circuit.mark_until_ms then
    return nil
  end
  return circuit.mark
end
