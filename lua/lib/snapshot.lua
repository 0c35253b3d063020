-- The snapshot: all that a worker needs to decide locally, and the numbers behind it. Times ahead are relative, because
-- no two clocks agree. A field is left out while it has its default, so that messages stay short; the fields that
-- people look for are always there.

-- @include lib/complete
-- @include lib/circuit
-- @include lib/trials
-- @include lib/ramp
-- @include lib/overdue
-- @include lib/outcomes
-- @include lib/recent_calls

-- nil for 0: a reader takes a missing number for 0, so that it need not be sent.
local function or_none(value)
  if value == 0 then
    return nil
  end
  return value
end

local function ahead(deadline, now)
  return math.max(0, (deadline or 0) - now)
end

-- The history as a reader sees it: total, healthy, failed, and how much of the window the records cover, ms. O(stale).
local function view_history(provider)
  local key, circuit, settings = provider.keys.history, provider.circuit, provider.settings
  local cutoff = provider.now - settings.window_ms
  local total, healthy, bad = circuit.history_total, circuit.history_healthy, circuit.history_failed
  if not circuit.history_newest or circuit.history_newest_at_ms < cutoff then
    return 0, 0, 0, settings.window_ms
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. as_text(cutoff))) do
    local status, count = string.match(member, '^%d+:([^:]+):(%d+)$')
    total = total - count
    healthy = status == 'healthy' and healthy - count or healthy
    bad = failed(status) and bad - count or bad
  end
  if total < settings.max_records then
    return total, healthy, bad, settings.window_ms
  end
  local oldest = redis.call('ZRANGEBYSCORE', key, as_text(cutoff), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return total, healthy, bad, provider.now - tonumber(oldest[2])
end

local function snapshot_json(provider)
  local circuit, now = complete(provider), provider.now
  local state, mark = state_at(circuit, now), mark_at(circuit, now)
  local trials, first_deadline = 0, nil
  if circuit.state == 'half_open' then
    trials, first_deadline = live_trials(provider)
  end
  local total, healthy, bad, covered_ms = view_history(provider)
  local client_errors, last_client_error = view_recent(provider, CLIENT_ERRORS)
  local ignored, last_ignored = view_recent(provider, IGNORED)
  local calls, failures, degraded, failure_rate, degraded_rate
  if circuit.judged_by and circuit.state == 'closed' then
    -- @include lib/window_view
    calls, failures, degraded, failure_rate, degraded_rate = view_window(provider)
  end
  local quorum = quorum_of(provider)
  local by_hand = circuit.state == 'open' and circuit.retry_at_ms == 0
  local cooled = circuit.state == 'open' and state == 'half_open'
  local enforce, group = unpack(redis.call('HMGET', provider.keys.config, 'breaker.enforce', 'group'))
  return cjson.encode({
    id = provider.caller.id,
    state = state,
    stateSince = cooled and circuit.retry_at_ms or circuit.state_since_ms,
    generation = circuit.generation,
    version = circuit.version,
    settingsRevision = provider.settings.revision + 0,
    enforce = enforce ~= 'false',
    group = group or nil,
    consecutiveFailures = circuit.consecutive_failures,
    probeConsecutiveFailures = or_none(circuit.probe_consecutive_failures),
    consecutiveSuccesses = or_none(circuit.consecutive_successes),
    openedAt = or_none(circuit.opened_at_ms),
    retryAfterMs = by_hand and cjson.null or ahead(circuit.retry_at_ms, now),
    cooldownMs = cooldown_at(circuit, now),
    rampForMs = or_none(ahead(circuit.ramp_until_ms, now)),
    reason = reason_text(circuit),
    trials = or_none(trials),
    trialFreeInMs = or_none(ahead(first_deadline, now)),
    throttledForMs = or_none(ahead(circuit.throttled_until_ms, now)),
    mark = mark,
    markReason = mark and circuit.mark_reason or nil,
    markActor = mark and circuit.mark_actor or nil,
    markForMs = mark and circuit.mark_until_ms ~= 0 and circuit.mark_until_ms - now or nil,
    markEnded = circuit.mark and not mark or nil,
    markVersion = or_none(circuit.mark_version),
    historyTotal = total,
    historyHealthy = healthy,
    historyFailed = bad,
    windowCoveredMs = covered_ms,
    clientErrors = or_none(client_errors),
    lastClientError = last_client_error,
    ignored = or_none(ignored),
    lastIgnored = last_ignored,
    outageSince = or_none(circuit.outage_since_ms),
    outageReason = outage_reason(circuit),
    outageBy = circuit.outage_by,
    outageTrials = or_none(circuit.outage_trials),
    outageDoomed = or_none(circuit.outage_doomed),
    windowCalls = calls,
    windowFailures = failures,
    windowDegraded = degraded,
    failureRate = failure_rate,
    degradedRate = degraded_rate,
    suspects = quorum and quorum.present_suspects(quorum.domains) or nil,
    openedTotal = or_none(circuit.opened_total),
    halfOpenedTotal = or_none(circuit.half_opened_total),
    closedTotal = or_none(circuit.closed_total),
    resetTotal = or_none(circuit.reset_total),
    openMsTotal = or_none(open_ms(circuit, now)),
    viewedForMs = or_none(ahead(circuit.viewed_until_ms, now)),
    failingBatches = or_none(circuit.failing_batches),
    applied = circuit.applied,
    lastProbeStatus = circuit.last_probe_status,
    lastProbeDetail = circuit.last_probe_detail,
    lastProbeAt = or_none(circuit.last_probe_at_ms),
    probeAwaitedSince = probe_awaited_since(circuit),
    probeOverdueAt = or_none(circuit.probe_overdue_at_ms),
    probeStartedAt = or_none(circuit.probe_started_at_ms),
    heartbeatAt = or_none(circuit.heartbeat_at_ms),
    heartbeatProgress = circuit.heartbeat_progress,
    heartbeatProgressAt = or_none(circuit.heartbeat_progress_at_ms),
    at = now,
  })
end
