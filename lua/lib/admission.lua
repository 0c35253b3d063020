-- Whether a call or a probe may begin. The same rules as src/rules/admission.ts.

-- @include lib/complete
-- @include lib/circuit
-- @include lib/trials
-- @include lib/recovery

-- Blocks between a caller and the provider, the gravest first. until_ms 0: no end is known. Trials are not counted
-- here.
local function find_blocks(provider)
  local circuit, now = provider.circuit, provider.now
  local blocks = {}
  local mark = mark_at(circuit, now)
  if mark and mark ~= 'degraded' then
    local reason = 'marked ' .. mark .. (circuit.mark_reason and ': ' .. circuit.mark_reason or '')
    blocks[#blocks + 1] = { code = 'marked_' .. mark, reason = reason, until_ms = circuit.mark_until_ms }
  end
  if state_at(circuit, now) == 'open' then
    local reason = 'circuit open: ' .. reason_text(circuit)
    blocks[#blocks + 1] = { code = 'circuit_open', reason = reason, until_ms = circuit.retry_at_ms }
  end
  if circuit.throttled_until_ms > now then
    local reason = 'the provider asked for a pause'
    blocks[#blocks + 1] = { code = 'throttled', reason = reason, until_ms = circuit.throttled_until_ms }
  end
  return blocks
end

-- The latest deadline of all blocks, ms from now; nil when one of them has no known end.
local function blocked_for_ms(blocks, now)
  local until_ms = 0
  for _, block in ipairs(blocks) do
    if block.until_ms == 0 then
      return nil
    end
    until_ms = math.max(until_ms, block.until_ms)
  end
  return until_ms - now
end

local function granted(trial)
  return { admitted = true, code = '', reason = '', retry_after_ms = 0, trial = trial }
end

-- `admitted`: whether the call begins all the same, as it does while enforce is off.
local function refused(admitted, code, reason, retry_after_ms)
  return { admitted = admitted, code = code, reason = reason, retry_after_ms = retry_after_ms, trial = false }
end

local function enforced(provider)
  return setting(provider, 'breaker.enforce') ~= 'false'
end

local function admit_trial(provider, request)
  local now, key = provider.now, provider.keys.trials
  local held = tonumber(redis.call('ZSCORE', key, request.token) or '')
  if held and held > now then
    return granted(true)
  end
  local live, first_deadline = live_trials(provider)
  local most = number_setting(provider, 'breaker.halfOpenMaxTrials')
  if live >= most then
    local reason = string.format('half-open: %d of %d trials under way', live, most)
    local admitted = request.origin == 'probe' or not enforced(provider)
    return refused(admitted, 'no_trial_free', reason, first_deadline - now)
  end
  local quorum = quorum_of(provider)
  local kept_ms = quorum and quorum.kept_for_others_ms(provider, request.process, request.domain) or 0
  if kept_ms > 0 then
    local admitted = request.origin == 'probe' or not enforced(provider)
    return refused(admitted, 'no_trial_free', 'half-open: another failure domain is to try first', kept_ms)
  end
  local left_ms = request.origin == 'call' and left_to_probes_ms(provider) or 0
  if left_ms > 0 then
    return refused(not enforced(provider), 'awaiting_probe', 'half-open: a health check is to try first', left_ms)
  end
  enter_half_open(provider)
  drop_expired_trials(provider)
  local lease_ms = request.lease_ms
  if lease_ms == 0 then
    lease_ms = number_setting(provider, 'breaker.trialLeaseMs')
  end
  redis.call('ZADD', key, as_text(now + lease_ms), request.token)
  return granted(true)
end

-- Refuses a probe too soon after another, or beside one: two workers would probe twice in one interval. Else it begins.
local function begin_probe(provider, request)
  local circuit, now = provider.circuit, provider.now
  local since_ms = now - circuit.probe_started_at_ms
  if circuit.probe_started_at_ms ~= 0 and since_ms < request.min_gap_ms then
    local left_ms = request.min_gap_ms - since_ms
    return refused(false, 'probed_recently', 'another probe began a moment ago', left_ms)
  end
  local under_way_ms = circuit.probe_until_ms - now
  if under_way_ms > 0 then
    return refused(false, 'probed_recently', 'another probe is under way', under_way_ms)
  end
  put(provider, 'probe_started_at_ms', now)
  put(provider, 'probe_until_ms', now + request.lease_ms)
end

-- A probe is admitted although the circuit is open or has no trial free. Its result then decides nothing.
local function admit(provider, request)
  local blocks = find_blocks(provider)
  local probing = request.origin == 'probe'
  for _, block in ipairs(blocks) do
    if not (probing and block.code == 'circuit_open') then
      local retry_after_ms = blocked_for_ms(blocks, provider.now)
      return refused(not probing and not enforced(provider), block.code, block.reason, retry_after_ms)
    end
  end
  local turned_away = probing and begin_probe(provider, request)
  if turned_away then
    return turned_away
  end
  local half_open = state_at(provider.circuit, provider.now) == 'half_open'
  if not half_open or (probing and setting(provider, 'breaker.recovery') == 'traffic') then
    return granted(false)
  end
  return admit_trial(provider, request)
end
