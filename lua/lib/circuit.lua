-- The circuit hash as a table: numbers are numbers, an empty field is nil, and only what changed is written.

-- @include lib/text
-- @include lib/time

-- A hash this small is searched from its front, field by field, so what the everyday calls need stands first.
local FIELDS = {
  'state', 'mark', 'version', 'last_now_ms', 'clock_offset_ms', 'generation', 'applied',
  'consecutive_failures', 'next_slot_us',
  'history_total', 'history_healthy', 'history_newest', 'history_newest_at_ms', 'history_oldest_at_ms',
  'throttled_until_ms', 'mark_version',
  'probe_consecutive_failures', 'consecutive_successes', 'failing_batches',
  'reason', 'state_since_ms', 'opened_at_ms', 'retry_at_ms', 'cooldown_ms',
  'mark_reason', 'mark_actor', 'mark_until_ms',
  'last_probe_status', 'last_probe_detail', 'last_probe_at_ms', 'probe_awaited_since_ms', 'probe_overdue_at_ms',
  'probe_started_at_ms', 'probe_until_ms', 'probe_down', 'probe_against',
  'heartbeat_at_ms', 'heartbeat_progress', 'heartbeat_progress_at_ms',
}
local TEXTS = {
  state = true, mark = true, history_newest = true, reason = true,
  mark_reason = true, mark_actor = true, last_probe_status = true, last_probe_detail = true,
  probe_down = true,
}

-- The table, and a copy of it as it is stored; nil when there is no such provider.
local function load_circuit(key)
  local raw = redis.call('HMGET', key, unpack(FIELDS))
  if not raw[1] then
    return nil
  end
  local circuit, stored = {}, {}
  for i, field in ipairs(FIELDS) do
    local value = raw[i]
    if value and value ~= '' then
      value = TEXTS[field] and value or tonumber(value)
      circuit[field], stored[field] = value, value
    end
  end
  return circuit, stored
end

-- Whether a deadline is pending: then the time itself must be kept, or a clock that steps back would put it off.
local function awaits_deadline(circuit)
  return circuit.state ~= 'closed' or circuit.throttled_until_ms > circuit.last_now_ms or circuit.mark_until_ms ~= nil
end

-- A new circuit, which has nothing stored, is written in full. A script that changed nothing but the time, while
-- nothing waits for it, writes nothing: an admission while closed is no write.
local function save_circuit(key, circuit, stored)
  local changed = {}
  for _, field in ipairs(FIELDS) do
    local value = circuit[field]
    if not stored or value ~= stored[field] then
      changed[#changed + 1] = field
      changed[#changed + 1] = as_text(value)
    end
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
    state_since_ms = now,
    cooldown_ms = 0,
    throttled_until_ms = 0,
    mark_version = 0,
    history_total = 0,
    history_healthy = 0,
    failing_batches = 0,
    probe_awaited_since_ms = now,
    probe_against = 0,
    next_slot_us = 0,
    last_now_ms = now,
    clock_offset_ms = 0,
    applied = 0,
  }
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
