-- How a provider comes to be, and how its settings change.

-- The settings and, apart from them, who set them and when.
local function read_settings(key)
  local flat = redis.call('HGETALL', key)
  local settings, about = {}, {}
  for i = 1, #flat, 2 do
    local field = flat[i]
    if field == 'revision' or field == 'set_by' or field == 'set_at_ms' then
      about[field] = flat[i + 1]
    else
      settings[field] = flat[i + 1]
    end
  end
  return settings, about
end

local function sorted_names(settings)
  local names = {}
  for field in pairs(settings) do
    names[#names + 1] = field
  end
  table.sort(names)
  return names
end

local function write_settings(provider, settings, revision)
  local fields = {
    'revision', as_text(revision), 'set_by', provider.caller.worker, 'set_at_ms', as_text(provider.now),
  }
  for _, field in ipairs(sorted_names(settings)) do
    fields[#fields + 1] = field
    fields[#fields + 1] = settings[field]
  end
  redis.call('DEL', provider.keys.config)
  redis.call('HSET', provider.keys.config, unpack(fields))
  provider.settings = load_settings(provider.keys.config)
end

-- Fields that differ, as `breaker.failureThreshold=3`, before and after; empty when none does.
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
    from[i] = field .. '=' .. (before[field] or '-')
    to[i] = field .. '=' .. (after[field] or '-')
  end
  return table.concat(from, ' '), table.concat(to, ' ')
end

local function replace_settings(provider, wanted)
  local stored, about = read_settings(provider.keys.config)
  local from, to = compare_settings(stored, wanted)
  if from == to then
    return
  end
  write_settings(provider, wanted, tonumber(about.revision) + 1)
  bump_version(provider)
  announce(provider, 'settings_changed', from, to, '', '')
end

local function deadline(now, ms)
  if ms == nil or ms == cjson.null then
    return nil
  end
  return now + ms
end

-- What a caller knew before a wipe still holds: an open circuit, a pause, a mark. Counters begin anew.
local function restore_circuit(circuit, known, now)
  if known.state ~= 'closed' then
    circuit.state = 'open'
    circuit.opened_at_ms = now
    circuit.retry_at_ms = deadline(now, known.retryAfterMs)
    circuit.cooldown_ms = known.cooldownMs
    circuit.reason = known.reason ~= '' and known.reason or nil
  end
  circuit.throttled_until_ms = known.throttledForMs > 0 and now + known.throttledForMs or 0
  if known.mark ~= cjson.null then
    circuit.mark = known.mark
    circuit.mark_reason = known.markReason ~= '' and known.markReason or nil
    circuit.mark_actor = known.markActor ~= '' and known.markActor or nil
    circuit.mark_until_ms = deadline(now, known.markForMs)
    circuit.mark_version = circuit.version
  end
end

local function create_provider(keys, caller, wanted, known)
  local now = clock_reading_ms()
  local provider = { keys = keys, caller = caller, now = now, events = {}, version_before = 0 }
  provider.circuit = new_circuit(now, known)
  if known.state then
    restore_circuit(provider.circuit, known, now)
  end
  write_settings(provider, wanted, (known.settingsRevision or 0) + 1)
  local reason = known.state and 'restored after a wipe' or 'registered'
  announce(provider, 'registered', '', state_at(provider.circuit, now), reason, '')
  return provider
end
