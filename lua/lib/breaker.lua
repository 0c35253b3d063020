-- The circuit breaker: what an outcome does to the circuit. The same rules as src/rules/breaker.ts.

-- @include lib/provider
-- @include lib/trials
-- @include lib/recovery

local SUCCESS = { healthy = true, degraded = true }
local HEALTH = { healthy = true, degraded = true, unhealthy = true, timeout = true, terminated = true }

local function failures_field(run)
  return run.origin == 'probe' and 'probe_consecutive_failures' or 'consecutive_failures'
end

-- Moves the counters by n outcomes of the run, and nothing else.
local function count_outcomes(circuit, run, n)
  local field = failures_field(run)
  if SUCCESS[run.outcome] then
    circuit[field] = 0
  else
    circuit[field] = circuit[field] + n
    circuit.consecutive_successes = 0
  end
end

-- The outcome in words, with what the probe saw.
local function describe(run)
  if run.detail == '' then
    return run.outcome
  end
  return run.outcome .. ' (' .. run.detail .. ')'
end

-- Any automatic opening: the first cooldown is the base, each further one without a closing grows.
local function open_circuit(provider, reason, jitter_draw)
  local circuit, settings, now = provider.circuit, provider.settings, provider.now
  local cooldown_ms = settings.cooldown_ms
  if circuit.cooldown_ms ~= 0 then
    -- By a whole millisecond at least, where it grows at all: 1 ms times 1.5 would stay 1 for ever.
    local least_ms = settings.cooldown_multiplier > 1 and circuit.cooldown_ms + 1 or circuit.cooldown_ms
    local grown_ms = math.floor(circuit.cooldown_ms * settings.cooldown_multiplier)
    cooldown_ms = math.min(math.max(grown_ms, least_ms), settings.max_cooldown_ms)
  end
  transition(provider, 'opened', 'open', reason)
  circuit.cooldown_ms = cooldown_ms
  circuit.opened_at_ms = now
  circuit.retry_at_ms = now + cooldown_ms + math.floor(cooldown_ms * settings.cooldown_jitter * jitter_draw)
end

-- Closed, with every run of failures begun anew, and the cooldown too.
local function close_circuit(provider, kind, reason, actor)
  local circuit = provider.circuit
  transition(provider, kind, 'closed', reason, actor)
  circuit.consecutive_failures = 0
  circuit.probe_consecutive_failures = 0
  circuit.cooldown_ms = 0
  circuit.opened_at_ms = nil
  circuit.retry_at_ms = nil
end

-- After an outage of the whole fleet what failed before does not add up with what fails after it: both runs begin
-- anew, unless somebody has written since the caller lost the store.
local function forget_failures_before(provider, lost_at_ms)
  if provider.stored.last_now_ms < lost_at_ms then
    provider.circuit.consecutive_failures = 0
    provider.circuit.probe_consecutive_failures = 0
    provider.circuit.failing_batches = 0
  end
end

-- How many outcomes of the run came after the transition that the first ones made.
local function judge_closed(provider, run, jitter_draw)
  local circuit = provider.circuit
  local field = failures_field(run)
  local missing = math.max(1, provider.settings.failure_threshold - circuit[field])
  if SUCCESS[run.outcome] or run.count < missing then
    count_outcomes(circuit, run, run.count)
    return 0
  end
  count_outcomes(circuit, run, missing)
  local what = run.origin == 'probe' and 'failed probes' or 'failures'
  local reason = string.format('%.0f consecutive %s, last: %s', circuit[field], what, describe(run))
  open_circuit(provider, reason, jitter_draw)
  return run.count - missing
end

-- As judge_closed. The step to half-open makes a new generation, so only the first outcome may come with it.
local function judge_half_open(provider, run, jitter_draw)
  local circuit = provider.circuit
  local eligible = enter_half_open(provider) and 1 or run.count
  if not SUCCESS[run.outcome] then
    count_outcomes(circuit, run, 1)
    open_circuit(provider, 'trial failed: ' .. describe(run), jitter_draw)
    return run.count - 1
  end
  local missing = math.max(1, provider.settings.success_threshold - circuit.consecutive_successes)
  local n = math.min(eligible, missing)
  count_outcomes(circuit, run, n)
  local successes = circuit.consecutive_successes + n
  circuit.consecutive_successes = successes
  if n == missing then
    local trials = successes == 1 and 'trial' or 'trials'
    close_circuit(provider, 'closed', string.format('%.0f successful %s', successes, trials))
  else
    free_slot(provider, run.token)
  end
  return run.count - n
end

-- A pause that the provider asked for. It may grow, never shrink.
local function throttle(provider, run)
  free_slot(provider, run.token)
  local until_ms = provider.now + run.retry_after_ms
  if until_ms > provider.circuit.throttled_until_ms then
    provider.circuit.throttled_until_ms = until_ms
    bump_version(provider)
    local reason = string.format('the provider asked for a pause of %.0f ms', run.retry_after_ms)
    announce(provider, 'throttled', '', 'throttled', reason)
  end
end

-- What is shown of the last probe. Who heard that it is overdue hears that it came.
local function note_probe(provider, run)
  local circuit = provider.circuit
  if run.origin ~= 'probe' or not HEALTH[run.outcome] then
    return
  end
  circuit.last_probe_status = run.outcome
  circuit.last_probe_detail = run.detail ~= '' and run.detail or nil
  circuit.last_probe_at_ms = provider.now
  if circuit.probe_overdue_at_ms then
    circuit.probe_overdue_at_ms = nil
    bump_version(provider)
  end
end

-- Applies one run of equal outcomes as if they came one by one, in O(1).
-- Returns how many decided nothing, and whether the whole run was dropped.
local function judge(provider, run, jitter_draw)
  local circuit = provider.circuit
  local probing = run.origin == 'probe'
  if probing then
    circuit.probe_until_ms = nil
  end
  if probing and (run.settings_revision ~= provider.settings.revision or run.mark_version ~= circuit.mark_version) then
    free_slot(provider, run.token)
    return 0, true
  end
  note_probe(provider, run)
  local believed = not probing or not HEALTH[run.outcome] or follow_probe(provider, SUCCESS[run.outcome] or false)
  circuit.applied = circuit.applied + run.count
  if run.generation ~= circuit.generation then
    return run.count, false
  end
  if run.outcome == 'throttled' then
    throttle(provider, run)
    return 0, false
  end
  if not HEALTH[run.outcome] or not believed then
    free_slot(provider, run.token)
    return 0, false
  end
  local state = state_at(circuit, provider.now)
  if state == 'closed' then
    return judge_closed(provider, run, jitter_draw), false
  elseif state == 'open' then
    count_outcomes(circuit, run, run.count)
    return 0, false
  elseif probing and run.token == '' then
    return run.count, false
  end
  return judge_half_open(provider, run, jitter_draw), false
end

-- What the end of a batch says while workers are asked for patience: they hold old successes then, and after the
-- provider has died the first batch of each of them ends the run of failures. When as many batches in a row as the
-- threshold has failures end in a failure, the version grows, once: every worker whose failures are urgent hears of it
-- and sends what it holds. It decides nothing.
local function suspect(provider, last)
  local circuit = provider.circuit
  local counts = circuit.state == 'closed' and last.origin == 'call' and last.generation == circuit.generation
  if not counts or not HEALTH[last.outcome] then
    return
  end
  if SUCCESS[last.outcome] then
    circuit.failing_batches = 0
    return
  end
  circuit.failing_batches = circuit.failing_batches + 1
  if circuit.failing_batches == provider.settings.failure_threshold then
    bump_version(provider)
  end
end
