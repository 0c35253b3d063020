-- Who may begin a call or a probe. The same rules as src/rules/admission.ts.

-- @include lib/provider
-- @include lib/trials
-- @include lib/recovery

-- What stands between a caller and the provider, the gravest first; until_ms nil: nobody knows.
-- Trials are not looked at.
local function find_blocks(provider)
  local circuit, now = provider.circuit, provider.now
  local blocks = {}
  local mark = mark_at(circuit, now)
  if mark and mark ~= 'degraded' then
    local reason = 'marked ' .. mark .. (circuit.mark_reason and ': ' .. circuit.mark_reason or '')
    blocks[#blocks + 1] = { code = 'marked_' .. mark, reason = reason, until_ms = circuit.mark_until_ms }
  end
  if state_at(circuit, now) == 'open' then
    local reason = 'circuit open' .. (circuit.reason and ': ' .. circuit.reason or '')
    blocks[#blocks + 1] = { code = 'circuit_open', reason = reason, until_ms = circuit.retry_at_ms }
  end
  if circuit.throttled_until_ms > now then
    local reason = 'the provider asked for a pause'
    blocks[#blocks + 1] = { code = 'throttled', reason = reason, until_ms = circuit.throttled_until_ms }
  end
  return blocks
end

-- The latest of all deadlines that block, ms from now; nil when one of them is not known.
local function blocked_for_ms(blocks, now)
  local until_ms = 0
  for _, block in ipairs(blocks) do
    if not block.until_ms then
      return nil
    end
    until_ms = math.max(until_ms, block.until_ms)
  end
  return until_ms - now
end

local function granted(trial)
  return { admitted = true, code = '', reason = '', retry_after_ms = 0, trial = trial }
end

local function admit_trial(provider, request)
  local now, settings, key = provider.now, provider.settings, provider.keys.trials
  local held = tonumber(redis.call('ZSCORE', key, request.token) or '')
  if held and held > now then
    return granted(true)
  end
  local live, first_deadline = live_trials(provider)
  if live >= settings.half_open_max_trials then
    return {
      admitted = request.origin == 'probe' or not settings.enforce,
      code = 'no_trial_free',
      reason = string.format('half-open: %.0f of %.0f trials under way', live, settings.half_open_max_trials),
      retry_after_ms = first_deadline - now,
      trial = false,
    }
  end
  if request.origin == 'call' then
    local left_ms = left_to_probes_ms(provider)
    if left_ms > 0 then
      return {
        admitted = not settings.enforce,
        code = 'awaiting_probe',
        reason = 'half-open: a health check is to try first',
        retry_after_ms = left_ms,
        trial = false,
      }
    end
  end
  enter_half_open(provider)
  drop_expired_trials(provider)
  local lease_ms = math.max(settings.trial_lease_ms, request.min_lease_ms)
  redis.call('ZADD', key, as_text(now + lease_ms), request.token)
  return granted(true)
end

-- A probe runs beside an open or fully tried circuit too; its result then decides nothing.
local function admit(provider, request)
  local circuit, now = provider.circuit, provider.now
  local blocks = find_blocks(provider)
  local probing = request.origin == 'probe'
  local first = nil
  for _, block in ipairs(blocks) do
    if not first and not (probing and block.code == 'circuit_open') then
      first = block
    end
  end
  local admission = granted(false)
  if first then
    admission.admitted = not probing and not provider.settings.enforce
    admission.code, admission.reason = first.code, first.reason
    admission.retry_after_ms = blocked_for_ms(blocks, now)
    return admission
  end
  if probing then
    local since_ms = circuit.probe_started_at_ms and now - circuit.probe_started_at_ms
    if since_ms and since_ms < request.min_gap_ms then
      admission.admitted, admission.code = false, 'probed_recently'
      admission.reason = 'another probe began a moment ago'
      admission.retry_after_ms = request.min_gap_ms - since_ms
      return admission
    end
    local under_way_ms = (circuit.probe_until_ms or 0) - now
    if under_way_ms > 0 then
      admission.admitted, admission.code = false, 'probed_recently'
      admission.reason = 'another probe is under way'
      admission.retry_after_ms = under_way_ms
      return admission
    end
    circuit.probe_started_at_ms = now
    circuit.probe_until_ms = now + request.min_lease_ms
  end
  if state_at(circuit, now) ~= 'half_open' or (probing and provider.settings.recovery == 'traffic') then
    return admission
  end
  return admit_trial(provider, request)
end
