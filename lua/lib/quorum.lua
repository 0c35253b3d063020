-- The quorum: how many failure domains must have seen failures before a rule opens the circuit, and whose outcomes decide nothing. The
-- same rules as src/rules/quorum.ts.

-- @include lib/outcomes
-- @include lib/judgement
-- @include lib/call_window
-- @include lib/doubt

local function clear_window(provider)
  local window = window_of(provider)
  if window then
    window.clear(provider)
  end
end

-- A success of a suspect itself clears it. Its run ends only with one of a call that began after the doubt.
local function clear_reporter(provider, reporter, runs)
  if reporter.own.failures > 0 or not is_suspect(provider.quorum.domains, reporter.process) then
    return
  end
  for _, run in ipairs(runs) do
    local origin, outcome, _, generation = unpack(run, 1, 4)
    if origin == 'call' and generation + 0 == provider.circuit.generation
      and moves_circuit(outcome) and not failed(outcome) then
      clear_suspects(provider, function(doubt)
        return doubt.process == reporter.process
      end, 'succeeds again')
      return
    end
  end
end

-- The longest silent makes room; of several, the first.
local function make_room(domains)
  if #domains.doubts < MAX_DOUBTS then
    return
  end
  local silent = domains.doubts[1]
  for _, doubt in ipairs(domains.doubts) do
    if doubt.seen_ms < silent.seen_ms then
      silent = doubt
    end
  end
  domains.doubts = without(domains.doubts, function(doubt)
    return doubt == silent
  end)
end

local function hear(provider, reporter, closed)
  local domains, now, own = provider.quorum.domains, provider.now, reporter.own
  local known = find_doubt(domains, reporter.process)
  local suspected = known and not is_unnamed(known)
  local doubtful = closed and is_doubtful(provider, own)
  if not suspected then
    domains.reporters = stamped(domains.reporters, reporter.domain, now, MAX_DOMAINS)
    if not doubtful then
      domains.doubts = without(domains.doubts, function(doubt)
        return doubt == known
      end)
      return
    end
  end
  if known then
    known.domain = suspected and known.domain or reporter.domain
    known.failures = doubtful and own.failures or known.failures
    known.seen_ms = now
    return
  end
  make_room(domains)
  domains.doubts[#domains.doubts + 1] = {
    process = reporter.process,
    worker = reporter.worker,
    domain = reporter.domain,
    since_ms = now - own.since_ms,
    failures = own.failures,
    seen_ms = now,
    named_ms = 0,
    against = '',
    total = domains.succeeded,
  }
end

-- Before the runs of a batch: its process is alive, doubts itself or not, and may be named or cleared.
local function begin_report(provider, reporter, runs)
  local last = runs[#runs]
  provider.quorum.reporter = reporter
  if not last or last[4] + 0 ~= provider.circuit.generation then
    return
  end
  local closed = state_at(provider.circuit, provider.now) == 'closed'
  if closed then
    forget_silent(provider)
  end
  clear_reporter(provider, reporter, runs)
  hear(provider, reporter, closed)
  if closed then
    name_suspects(provider, reporter.pause_ms)
  end
end

-- Whether the run's outcomes decide nothing: its process is a suspect. A trial with a lease was given to it on purpose.
local function is_disbelieved(provider, run)
  if not is_suspect(provider.quorum.domains, provider.quorum.reporter.process) then
    return false
  end
  local trial = run.token ~= '' and provider.circuit.state == 'half_open'
    and redis.call('ZSCORE', provider.keys.trials, run.token)
  return not trial
end

-- A failure on a closed circuit makes its domain a witness; a success ends the run of witnesses.
local function witness(provider, run)
  local domains, domain, now = provider.quorum.domains, provider.quorum.reporter.domain, provider.now
  local field = run.origin == 'call' and 'witnesses' or 'probe_witnesses'
  local bad = failed(run.outcome)
  domains[field] = bad and witnessed(domains[field], domain) or {}
  if run.origin == 'probe' or not provider.quorum.rules.rates or not (bad or run.outcome == 'degraded') then
    return
  end
  if bad then
    domains.failing = stamped(domains.failing, domain, now, MAX_DOMAINS)
  end
  domains.poor = stamped(domains.poor, domain, now, MAX_DOMAINS)
end

local function count_in_window(stamps, now, bucket_ms)
  local BUCKETS, count = 10, 0
  for _, stamp in ipairs(stamps) do
    if math.floor(now / bucket_ms) - math.floor(stamp.at_ms / bucket_ms) < BUCKETS then
      count = count + 1
    end
  end
  return count
end

-- Whether enough domains have seen what a rule judges by. window: nil where no rate is judged.
local function backing(provider, run, window)
  local domains, now = provider.quorum.domains, provider.now
  local needed = math.min(provider.quorum.rules.quorum, count_alive(provider, now))
  local witnesses = run.origin == 'call' and domains.witnesses or domains.probe_witnesses
  return {
    run = #witnesses >= needed,
    failures = window and count_in_window(domains.failing, now, window.bucket_ms) >= needed,
    poor = window and count_in_window(domains.poor, now, window.bucket_ms) >= needed,
  }
end

-- A success that counts: others that fail meanwhile fail alone.
local function note_success(provider, run)
  local domains, reporter = provider.quorum.domains, provider.quorum.reporter
  local call = run.origin == 'call'
  domains.successes = stamped(domains.successes, call and reporter.domain or PROBES, provider.now, MAX_SUCCESSES)
  domains.succeeded = call and domains.succeeded + run.count or domains.succeeded
  name_suspects(provider, reporter.pause_ms)
end

-- After the runs of a batch: why doubtful processes alone open the circuit; nil: they do not. They come with a batch, because
-- Redis has no timer.
local function end_report(provider, run)
  local quorum, circuit, now = provider.quorum, provider.circuit, provider.now
  local domains, reporter = quorum.domains, quorum.reporter
  local own = find_doubt(domains, reporter.process)
  if not own or not is_unnamed(own) or run.origin ~= 'call' or not failed(run.outcome)
    or run.generation ~= circuit.generation or circuit.state ~= 'closed' then
    return nil
  end
  local seen, count = {}, 0
  for _, doubt in ipairs(domains.doubts) do
    local aged = is_unnamed(doubt) and now - doubt.since_ms >= settles_after_ms(reporter.pause_ms)
    if aged and not seen[doubt.domain] then
      seen[doubt.domain], count = true, count + 1
    end
  end
  if count >= quorum.rules.quorum then
    return string.format('%d failure domains see failures alone', count)
  end
  local other, silent_ms = success_beside(domains, own.domain), now - own.since_ms
  if silent_ms >= quorum.rules.grace_ms and not (other and other.at_ms > own.since_ms) then
    return string.format('no other domain succeeded for %d ms', silent_ms)
  end
end

-- How long a half-open circuit is kept for other domains, ms: a busy bad domain is not to take every trial.
local function includes(names, wanted)
  for _, name in ipairs(names) do
    if name == wanted then
      return true
    end
  end
  return false
end

local function kept_for_others_ms(provider, process, domain)
  local domains, circuit = provider.quorum.domains, provider.circuit
  if not domains.wide or circuit.state == 'closed' then
    return 0
  elseif not is_suspect(domains, process) and not includes(domains.failed_trials, domain) then
    return 0
  end
  local cooled_at_ms = circuit.state == 'open' and circuit.retry_at_ms or circuit.state_since_ms
  return math.max(0, cooled_at_ms + math.floor(circuit.cooldown_ms / 10) - provider.now)
end

-- The domains, and what can be done with them; nil where no quorum is set.
local function open_quorum(provider)
  local rules = judgement(provider)
  if not rules or rules.quorum == 1 then
    return nil
  end
  return {
    rules = rules,
    domains = read_domains(provider.keys.domains),
    save = save_domains,
    begin_report = begin_report,
    end_report = end_report,
    is_disbelieved = is_disbelieved,
    witness = witness,
    backing = backing,
    note_success = note_success,
    clear_window = clear_window,
    clear_suspects = clear_suspects,
    after_opening = after_opening,
    after_outage = after_outage,
    without_runs = without_runs,
    kept_for_others_ms = kept_for_others_ms,
    present_suspects = present_suspects,
  }
end
