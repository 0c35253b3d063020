-- The fields of the circuit hash and the defaults of the settings, as src/model/circuit-fields.ts and
-- src/model/setting-fields.ts have them. Written by `npx vitest run test/unit/fields.test.ts -u`; edit those instead.

-- What a person looks for: written at registration, in this order.
local FIRST = {
  'state',
  'reason',
  'consecutive_failures',
  'opened_at_ms',
  'retry_at_ms',
  'generation',
  'version',
}

local NUMBERS = {
  'consecutive_failures',
  'opened_at_ms',
  'retry_at_ms',
  'generation',
  'version',
  'state_since_ms',
  'cooldown_ms',
  'consecutive_successes',
  'probe_consecutive_failures',
  'failing_batches',
  'throttled_until_ms',
  'mark_until_ms',
  'mark_version',
  'applied',
  'history_total',
  'history_healthy',
  'history_failed',
  'history_newest_at_ms',
  'history_oldest_at_ms',
  'history_coalesced_to_ms',
  'next_slot_us',
  'last_probe_at_ms',
  'probe_awaited_since_ms',
  'probe_overdue_at_ms',
  'probe_started_at_ms',
  'probe_until_ms',
  'probe_against',
  'heartbeat_at_ms',
  'heartbeat_progress_at_ms',
  'last_now_ms',
  'clock_offset_ms',
}

local SETTING_DEFAULTS = {
  ['breaker.failureThreshold'] = '3',
  ['breaker.cooldownMs'] = '30000',
  ['breaker.successThreshold'] = '1',
  ['breaker.halfOpenMaxTrials'] = '1',
  ['breaker.trialLeaseMs'] = '30000',
  ['breaker.cooldownMultiplier'] = '1',
  ['breaker.maxCooldownMs'] = '600000',
  ['breaker.cooldownJitter'] = '0',
  ['breaker.maxThrottleMs'] = '600000',
  ['breaker.enforce'] = 'true',
  ['breaker.recovery'] = 'both',
  ['history.maxRecords'] = '100000',
  ['history.windowMs'] = '60000',
  ['history.degradationThreshold'] = '0.8',
}
