-- The settings that scripts judge by, out of the config hash.

local SETTING_FIELDS = {
  'revision',
  'breaker.failureThreshold',
  'breaker.cooldownMs',
  'breaker.successThreshold',
  'breaker.halfOpenMaxTrials',
  'breaker.trialLeaseMs',
  'breaker.cooldownMultiplier',
  'breaker.maxCooldownMs',
  'breaker.cooldownJitter',
  'history.maxRecords',
  'history.windowMs',
  'breaker.enforce',
  'breaker.recovery',
}

-- nil when the provider has no settings: it is not registered.
local function load_settings(key)
  local raw = redis.call('HMGET', key, unpack(SETTING_FIELDS))
  if not raw[1] then
    return nil
  end
  return {
    revision = tonumber(raw[1]),
    failure_threshold = tonumber(raw[2]),
    cooldown_ms = tonumber(raw[3]),
    success_threshold = tonumber(raw[4]),
    half_open_max_trials = tonumber(raw[5]),
    trial_lease_ms = tonumber(raw[6]),
    cooldown_multiplier = tonumber(raw[7]),
    max_cooldown_ms = tonumber(raw[8]),
    cooldown_jitter = tonumber(raw[9]),
    max_records = tonumber(raw[10]),
    window_ms = tonumber(raw[11]),
    enforce = raw[12] ~= 'false',
    recovery = raw[13] or 'both',
  }
end
