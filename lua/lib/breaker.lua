-- The circuit breaker: what an outcome does to the circuit. The same rules as src/rules/breaker.ts and the
-- files that it imports: closed.ts, half-open.ts, counters.ts, opening.ts, throttle.ts.

-- @include lib/complete
-- @include lib/circuit
-- @include lib/trials
-- @include lib/ramp
-- @include lib/recovery
-- @include lib/outcomes
-- @include lib/history
-- @include lib/recent_calls
-- @include lib/outage
-- @include lib/trip
-- @include lib/call_window

local function failures_field(run)
  return run.origin == 'probe' and 'probe_consecutive_failures' or 'consecutive_failures'
end

-- Moves the counters by n outcomes of the run, and nothing else.
local function count_outcomes(provider, run, n)
  local field = failures_field(run)
  if failed(run.outcome) then
    put(provider, field, provider.circuit[field] + n)
    put(provider, 'consecutive_successes', 0)
  else
    put(provider, field, 0)
  end
end

-- The outcome in words, with the detail of a probe.
local function describe(run)
  return run.detail == '' and run.outcome or run.outcome .. ' (' .. run.detail .. ')'
end

-- Opens the circuit by a rule. The first cooldown is the base; each further one without a closing between, or during
-- the ramp after it, is longer.
local function open_circuit(provider, reason, run, jitter_draw)
  local circuit, now = provider.circuit, provider.now
  end_ramp(provider)
  local cooldown_ms = number_setting(provider, 'breaker.cooldownMs')
  if circuit.cooldown_ms ~= 0 then
    -- A growing cooldown grows by a whole millisecond at least: 1 ms times 1.5, rounded down, would stay 1 for ever.
    local multiplier = number_setting(provider, 'breaker.cooldownMultiplier')
    local least_ms = multiplier > 1 and circuit.cooldown_ms + 1 or circuit.cooldown_ms
    local grown_ms = math.floor(circuit.cooldown_ms * multiplier)
    cooldown_ms = math.min(math.max(grown_ms, least_ms), number_setting(provider, 'breaker.maxCooldownMs'))
  end
  local jitter_ms = math.floor(cooldown_ms * number_setting(provider, 'breaker.cooldownJitter') * jitter_draw)
  local from, quorum = circuit.state, quorum_of(provider)
  if quorum then
    quorum.after_opening(provider, quorum.reporter.domain)
    quorum.without_runs(quorum.domains)
  end
  transition(provider, 'opened', 'open', reason, '', describe(run))
  note_opening(provider, from, describe(run))
  put(provider, 'cooldown_ms', cooldown_ms)
  put(provider, 'opened_at_ms', now)
  put(provider, 'retry_at_ms', now + cooldown_ms + jitter_ms)
end

-- Closes the circuit. Every run of failures becomes 0, and the cooldown does at once or after the ramp.
local function close_circuit(provider, kind, reason, actor)
  local quorum, since_ms = quorum_of(provider), provider.circuit.outage_since_ms
  if quorum and since_ms ~= 0 then
    quorum.after_outage(quorum.domains, since_ms, provider.now)
  else
    forget_runs(provider)
  end
  end_outage(provider)
  transition(provider, kind, 'closed', reason, actor)
  put(provider, 'consecutive_failures', 0)
  put(provider, 'probe_consecutive_failures', 0)
  if kind == 'closed' then
    begin_ramp(provider)
  else
    put(provider, 'cooldown_ms', 0)
    put(provider, 'ramp_until_ms', 0)
  end
  put(provider, 'opened_at_ms', 0)
  put(provider, 'retry_at_ms', 0)
end

-- After an outage of the whole fleet both runs of failures begin at 0, unless another process has written since the
-- caller lost the store. Otherwise failures from before and after the outage would add up, and open the circuit.
local function forget_failures_before(provider, lost_at_ms)
  if provider.written_at_ms < lost_at_ms then
    put(provider, 'consecutive_failures', 0)
    put(provider, 'probe_consecutive_failures', 0)
    put(provider, 'failing_batches', 0)
    forget_runs(provider)
  end
end

-- Outcomes of the run that came after the transition which the first ones made.
local function judge_closed(provider, run, jitter_draw)
  local bad, quorum = failed(run.outcome), quorum_of(provider)
  -- Calls alone count in it.
  local window = run.origin == 'call' and window_of(provider) or nil
  local opening, reason
  if quorum then
    quorum.witness(provider, run)
  end
  if bad or run.outcome == 'degraded' then
    local counts = counts_before(run.origin, run.outcome, provider.circuit[failures_field(run)], window)
    counts.backing = quorum and quorum.backing(provider, run, window)
    opening, reason = find_trip(provider, counts, run.count)
  end
  local taken = opening or run.count
  count_outcomes(provider, run, taken)
  if window and taken > 0 then
    window.count(provider, window, run.outcome, taken)
  end
  if not opening then
    if quorum and not bad then
      quorum.note_success(provider, run)
    end
    return 0
  end
  open_circuit(provider, reason, run, jitter_draw)
  if bad then
    note_doomed(provider, run.count - opening)
  end
  return run.count - opening
end

-- With a rule for degraded calls a degraded trial is a failed one: it would close the circuit and open it for ever.
local function trial_fails(provider, outcome)
  if outcome == 'degraded' and provider.circuit.judged_by then
    -- @include lib/judgement
    return judgement(provider).degraded_rate > 0
  end
  return failed(outcome)
end

-- As judge_closed, for a half-open circuit. The step to half-open makes a new generation, so that of a run which makes
-- this step only the first outcome counts.
local function judge_half_open(provider, run, jitter_draw)
  local circuit = provider.circuit
  local eligible = enter_half_open(provider) and 1 or run.count
  if trial_fails(provider, run.outcome) then
    count_outcomes(provider, run, 1)
    open_circuit(provider, 'trial failed', run, jitter_draw)
    return run.count - 1
  end
  local threshold = number_setting(provider, 'breaker.successThreshold')
  local missing = math.max(1, threshold - circuit.consecutive_successes)
  local n = math.min(eligible, missing)
  count_outcomes(provider, run, n)
  put(provider, 'consecutive_successes', circuit.consecutive_successes + n)
  if n == missing then
    local successes = circuit.consecutive_successes
    local trials = successes == 1 and 'trial' or 'trials'
    close_circuit(provider, 'closed', string.format('%d successful %s', successes, trials))
  else
    free_slot(provider, run.token)
  end
  return run.count - n
end

-- Takes a pause that the provider asked for. A pause may grow and never shrinks.
local function throttle(provider, run)
  free_slot(provider, run.token)
  local until_ms = provider.now + run.retry_after_ms
  if until_ms > provider.circuit.throttled_until_ms then
    put(provider, 'throttled_until_ms', until_ms)
    bump_version(provider)
    local reason = string.format('the provider asked for a pause of %d ms', run.retry_after_ms)
    announce(provider, 'throttled', '', 'throttled', reason)
  end
end

-- Keeps the last probe for display. If `probe_overdue` was announced, the version grows, so that every process learns
-- that the silence is over.
local function note_probe(provider, run)
  if run.origin ~= 'probe' or failed(run.outcome) == nil then
    return
  end
  put(provider, 'last_probe_status', run.outcome)
  put(provider, 'last_probe_detail', run.detail ~= '' and run.detail or nil)
  put(provider, 'last_probe_at_ms', provider.now)
  if provider.circuit.probe_overdue_at_ms ~= 0 then
    put(provider, 'probe_overdue_at_ms', 0)
    bump_version(provider)
  end
end

-- Applies one run of equal outcomes as if they came one by one, in O(1).
-- Returns how many outcomes decided nothing, and whether the whole run was dropped.
local function judge(provider, run, jitter_draw)
  local circuit = provider.circuit
  local probing, bad = run.origin == 'probe', failed(run.outcome)
  if probing then
    put(provider, 'probe_until_ms', 0)
    if run.settings_revision ~= provider.settings.revision + 0 or run.mark_version ~= circuit.mark_version then
      free_slot(provider, run.token)
      return 0, true
    end
  end
  note_probe(provider, run)
  local believed = not probing or bad == nil or follow_probe(provider, not bad)
  put(provider, 'applied', circuit.applied + run.count)
  if bad then
    note_doomed(provider, run.count)
  elseif run.outcome == 'client_error' then
    note_recent(provider, CLIENT_ERRORS, run)
  elseif run.outcome == 'ignored' and not probing then
    note_recent(provider, IGNORED, run)
  end
  if run.generation ~= circuit.generation then
    return run.count, false
  end
  local quorum = quorum_of(provider)
  if quorum and quorum.is_disbelieved(provider, run) then
    free_slot(provider, run.token)
    return run.count, false
  elseif run.outcome == 'throttled' then
    throttle(provider, run)
    return 0, false
  elseif not moves_circuit(run.outcome) or not believed then
    free_slot(provider, run.token)
    return 0, false
  end
  local state = state_at(circuit, provider.now)
  if state == 'closed' then
    return judge_closed(provider, run, jitter_draw), false
  elseif state == 'open' then
    count_outcomes(provider, run, run.count)
    return 0, false
  elseif probing and run.token == '' then
    return run.count, false
  end
  return judge_half_open(provider, run, jitter_draw), false
end

-- A run by the names of its fields. The sender leaves out empty fields, and fields of 0, at the end.
local function read_run(fields)
  return {
    origin = fields[1],
    outcome = fields[2],
    count = fields[3],
    generation = fields[4] + 0,
    token = fields[5] or '',
    retry_after_ms = fields[6] or 0,
    settings_revision = fields[7] or 0,
    mark_version = fields[8] or 0,
    detail = fields[9] or '',
    age_ms = fields[10],
  }
end
