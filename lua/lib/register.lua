-- Creates a provider, and changes its settings.

-- @include lib/complete
-- @include lib/circuit
-- @include lib/overdue
-- @include lib/mask

-- @include lib/config_fields

-- Reads the settings and, apart from them, by whom and when they were set, and whether they are pinned.
local function read_settings(key)
  local flat = redis.call('HGETALL', key)
  local settings, about = {}, {}
  for i = 1, #flat, 2 do
    local field = flat[i]
    if ABOUT[field] then
      about[field] = flat[i + 1]
    else
      settings[field] = flat[i + 1]
    end
  end
  return settings, about
end

-- Whether the stored settings are exactly those wanted. null: a setting that the caller knows and does not set.
local function are_wanted(settings, wanted)
  for field, value in pairs(wanted) do
    if (settings[field] or cjson.null) ~= value then
      return false
    end
  end
  for field in pairs(settings) do
    if wanted[field] == nil then
      return false
    end
  end
  return true
end

local function sorted_names(settings)
  local names = {}
  for field in pairs(settings) do
    names[#names + 1] = field
  end
  table.sort(names)
  return names
end

-- @include lib/alternation

-- Keeps a copy of the rate rules and the quorum in the circuit; see lib/judgement. Where they are off nothing is kept.
local function copy_rules(provider, settings)
  -- A value that another program wrote, and that is none, counts as the default.
  local function number(name, least, most)
    local value, default = tonumber(settings['breaker.' .. name]), SETTING_DEFAULTS['breaker.' .. name]
    return value and value >= least and value <= most and value or tonumber(default) or 0
  end
  local failure_rate = math.floor(number('failureRate', 0.05, 1) * 10000 + 0.5)
  local degraded_rate = math.floor(number('degradedRate', 0.05, 1) * 10000 + 0.5)
  local rates, quorum = failure_rate + degraded_rate > 0, number('quorum', 1, 3)
  local copy
  if rates or quorum > 1 then
    copy = string.format(
      '%d %d %d %d %d %d', number('rateWindowMs', 1000, 600000), quorum, number('quorumGraceMs', 100, 600000),
      failure_rate, degraded_rate, number('minimumCalls', 2, 10000)
    )
  end
  if provider.circuit.judged_by == copy then
    return
  elseif not rates then
    redis.call('DEL', provider.keys.window)
  end
  if quorum == 1 then
    redis.call('DEL', provider.keys.domains)
  end
  put(provider, 'judged_by', copy)
end

-- Settings that every outcome needs are written first, because Redis searches a small hash from its front. `kept` is
-- last.
local function write_settings(provider, settings, revision, operator, kept)
  local pinned = operator ~= ''
  local set_by = pinned and operator or provider.caller.worker
  local first = { 'breaker.failureThreshold', 'history.maxRecords', 'history.windowMs' }
  local fields = { 'revision', as_text(revision), 'set_by', set_by, 'set_at_ms', as_text(provider.now) }
  if pinned then
    fields[#fields + 1] = 'pinned'
    fields[#fields + 1] = 'true'
  end
  for _, part in ipairs({ { first, settings }, { sorted_names(settings), settings }, { sorted_names(kept), kept } }) do
    local names, values = part[1], part[2]
    for _, field in ipairs(names) do
      fields[#fields + 1] = field
      fields[#fields + 1] = values[field]
    end
  end
  redis.call('DEL', provider.keys.config)
  redis.call('HSET', provider.keys.config, unpack(fields))
  provider.settings = load_settings(provider.keys.config)
  copy_rules(provider, settings)
end

-- Whether a stored probe is of a kind that a later version added. An older caller must not remove it, since it does not
-- know that it is there.
local function is_foreign(probe)
  local read, decoded = pcall(cjson.decode, probe)
  return read and type(decoded) == 'table' and type(decoded.kind) == 'string' and not PROBE_KINDS[decoded.kind]
end

-- The settings after those given replaced those stored. null: a setting that the caller knows and does not set.
-- Settings that the caller does not know stay, because another version that knows them is at work here too.
local function settings_after(stored, wanted)
  local after = {}
  for field, value in pairs(stored) do
    after[field] = value
  end
  for field, value in pairs(wanted) do
    if value ~= cjson.null then
      after[field] = value
    elseif field ~= 'probe' or not stored.probe or not is_foreign(stored.probe) then
      after[field] = nil
    end
  end
  return after
end

-- A field as an event shows it, with secrets masked. If only a secret differs, `after` says so.
local function show_change(field, before, after)
  if field == 'probe' then
    before, after = before and mask_probe(before), after and mask_probe(after)
    after = after == before and after .. ' (a secret differs)' or after
  end
  return field .. '=' .. (before or '-'), field .. '=' .. (after or '-')
end

-- The fields that differ, before and after, as `breaker.failureThreshold=3`; empty when none does.
local function compare_settings(before, after)
  local changed = {}
  for _, settings in ipairs({ before, after }) do
    for field in pairs(settings) do
      if before[field] ~= after[field] then
        changed[field] = true
      end
    end
  end
  local names, from, to = sorted_names(changed), {}, {}
  for i, field in ipairs(names) do
    from[i], to[i] = show_change(field, before[field], after[field])
  end
  return table.concat(from, ' '), table.concat(to, ' ')
end

-- Replaces the settings. Code does not replace those that an operator set; an operator does, and pins them.
local function replace_settings(provider, wanted, by_hand)
  local stored, about = read_settings(provider.keys.config)
  local operator = by_hand.operator
  if about.pinned and operator == '' then
    return
  end
  local settings = settings_after(stored, wanted)
  local before, after = settings_after(stored, {}), settings_after(settings, {})
  before.pinned, after.pinned = about.pinned, operator ~= '' and 'true' or nil
  local from, to = compare_settings(before, after)
  if from == to then
    return
  end
  local kept, reason = {}, by_hand.reason
  if operator == '' then
    kept, reason = judge_change(provider.now, about, stored, settings)
  end
  kept.idle_ms, kept.idle_at_ms = about.idle_ms, about.idle_at_ms
  write_settings(provider, settings, tonumber(about.revision) + 1, operator, kept)
  await_probe(provider, provider.now)
  bump_version(provider)
  if reason then
    announce(provider, 'settings_changed', from, to, reason, operator)
  end
end

-- Unpins the settings: from now on code may replace them. Until it does, they stay.
local function release_settings(provider, by_hand)
  local _, about = read_settings(provider.keys.config)
  if not about.pinned then
    return
  end
  redis.call('HDEL', provider.keys.config, 'pinned')
  redis.call('HINCRBY', provider.keys.config, 'revision', 1)
  provider.settings = load_settings(provider.keys.config)
  bump_version(provider)
  announce(provider, 'settings_changed', 'pinned=true', 'pinned=-', by_hand.reason, by_hand.operator)
end

local function deadline(now, ms)
  if ms == nil or ms == cjson.null then
    return nil
  end
  return now + ms
end

-- Restores what a caller knew before a wipe: an open circuit, a ramp, a pause, a mark. Counters begin at 0.
local function restore_circuit(circuit, known, now)
  if known.state ~= 'closed' then
    circuit.state = 'open'
    circuit.opened_at_ms = now
    circuit.retry_at_ms = deadline(now, known.retryAfterMs) or 0
    circuit.reason = known.reason
  end
  circuit.cooldown_ms = known.cooldownMs
  circuit.ramp_until_ms = known.rampForMs > 0 and now + known.rampForMs or 0
  if known.outageSince and known.outageSince ~= cjson.null and known.outageBy ~= '' then
    circuit.outage_since_ms = math.min(known.outageSince, now)
    circuit.outage_reason = known.outageReason
    circuit.outage_by = known.outageBy
    circuit.outage_trials = known.outageTrials
    circuit.outage_doomed = known.outageDoomed
  end
  circuit.throttled_until_ms = known.throttledForMs > 0 and now + known.throttledForMs or 0
  if known.mark ~= cjson.null then
    circuit.mark = known.mark
    circuit.mark_reason = known.markReason ~= '' and known.markReason or nil
    circuit.mark_actor = known.markActor ~= '' and known.markActor or nil
    circuit.mark_until_ms = deadline(now, known.markForMs) or 0
    circuit.mark_version = circuit.version
  end
end

-- A circuit that was never used. `known` has the numbers from before a wipe, or is empty.
local function new_circuit(now, known)
  return {
    state = 'closed',
    reason = known.state and 'restored after a wipe' or 'registered',
    consecutive_failures = 0,
    opened_at_ms = 0,
    retry_at_ms = 0,
    generation = next_number(known.generation, now),
    version = next_number(known.version, now),
    state_since_ms = now,
    probe_awaited_since_ms = now,
    last_now_ms = now,
    clock_offset_ms = 0,
    applied = 0,
  }
end

-- Writes a new circuit. The fields that a person looks for come first, in this order.
local function write_circuit(provider)
  local circuit = provider.circuit
  local first, values = {}, {}
  for i, field in ipairs(FIRST) do
    first[field] = true
    values[2 * i - 1], values[2 * i] = field, as_text(circuit[field])
  end
  for field, value in pairs(circuit) do
    if not first[field] and value ~= 0 then
      values[#values + 1] = field
      values[#values + 1] = as_text(value)
    end
  end
  redis.call('HSET', provider.keys.circuit, unpack(values))
end

local function create_provider(keys, caller, now, wanted, known, by_hand)
  local circuit = new_circuit(now, known)
  if known.state then
    restore_circuit(circuit, known, now)
  end
  local provider = {
    keys = keys,
    caller = caller,
    circuit = circuit,
    now = now,
    events = {},
    touched = {},
  }
  write_circuit(provider)
  write_settings(provider, settings_after({}, wanted), (known.settingsRevision or 0) + 1, by_hand.operator, {})
  local reason = known.state and 'restored after a wipe' or 'registered'
  announce(provider, 'registered', '', state_at(circuit, now), reason, by_hand.operator)
  return provider
end
