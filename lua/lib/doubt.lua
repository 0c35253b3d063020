-- Processes that doubt themselves, and those that are named because others succeed. The same rules as src/rules/doubt.ts.

-- @include lib/domains
-- @include lib/failure_threshold

-- Whether a process that fails so doubts itself. own: its failures in a row, and how long ago the first of them was.
local function is_doubtful(provider, own)
  local AT, AT_LEAST, AFTER_MS = 20, 5, 1000
  if own.failures == 0 then
    return false
  end
  local least = math.min(failure_threshold(provider) or AT_LEAST, AT_LEAST)
  return own.failures >= AT or (own.failures >= least and own.since_ms >= AFTER_MS)
end

-- How old a doubt is before others may speak against it, ms: successes of before may still be under way.
local function settles_after_ms(pause_ms)
  return 1000 + pause_ms
end

-- `worker-7 on node-3 fails alone: 14 failures in a row there, 2310 successes elsewhere since; node-1 disagrees`.
local function suspect_text(doubt, succeeded)
  local elsewhere = succeeded > doubt.total
    and string.format(', %d successes elsewhere since', succeeded - doubt.total) or ''
  local other = doubt.against == PROBES and 'a health check' or doubt.against
  return string.format(
    '%s on %s fails alone: %d failures in a row there%s; %s disagrees',
    doubt.worker, doubt.domain, doubt.failures, elsewhere, other
  )
end

local function name_suspect(provider, doubt, against)
  local ANNOUNCED_MS, MAX_ANNOUNCED = 60000, 16
  local domains, now, domain = provider.quorum.domains, provider.now, doubt.domain
  local said = false
  for _, stamp in ipairs(domains.announced) do
    said = said or (stamp.domain == domain and now - stamp.at_ms < ANNOUNCED_MS)
  end
  doubt.named_ms, doubt.against = now, against
  -- What it saw must not count for a rate.
  provider.quorum.clear_window(provider)
  domains.failing, domains.poor = {}, {}
  domains.reporters = without(domains.reporters, function(stamp)
    return stamp.domain == domain
  end)
  bump_version(provider)
  if not said then
    domains.announced = stamped(domains.announced, domain, now, MAX_ANNOUNCED)
    announce(provider, 'worker_suspected', '', doubt.worker, suspect_text(doubt, domains.succeeded))
  end
end

-- Names every doubtful process beside which another domain succeeded, late enough. Bounded: there are 16 at most.
local function name_suspects(provider, pause_ms)
  local domains = provider.quorum.domains
  for _, doubt in ipairs(domains.doubts) do
    local other = is_unnamed(doubt) and success_beside(domains, doubt.domain)
    if other and other.at_ms > doubt.since_ms + settles_after_ms(pause_ms) then
      name_suspect(provider, doubt, other.domain)
    end
  end
end

local function is_last_of_domain(named, at, left)
  local domain = named[at].domain
  for _, doubt in ipairs(left) do
    if doubt.domain == domain and not is_unnamed(doubt) then
      return false
    end
  end
  for i = at + 1, #named do
    if named[i].domain == domain then
      return false
    end
  end
  return true
end

-- Takes suspicions back. One event for each domain that has no suspect left. why: in words.
local function clear_suspects(provider, is_cleared, why)
  local domains, named = provider.quorum.domains, {}
  for _, doubt in ipairs(domains.doubts) do
    if is_cleared(doubt) and not is_unnamed(doubt) then
      named[#named + 1] = doubt
    end
  end
  domains.doubts = without(domains.doubts, is_cleared)
  if #named == 0 then
    return
  end
  bump_version(provider)
  for at, doubt in ipairs(named) do
    if is_last_of_domain(named, at, domains.doubts) then
      local text = string.format('%s on %s %s', doubt.worker, doubt.domain, why)
      announce(provider, 'worker_cleared', doubt.worker, '', text)
    end
  end
end

-- Forgets processes that have not reported for long: they are gone, or have nothing to call.
local function forget_silent(provider)
  if #provider.quorum.domains.doubts == 0 then
    return
  end
  local most_ms = memory_ms(provider)
  clear_suspects(provider, function(doubt)
    return provider.now - doubt.seen_ms > most_ms
  end, 'has been silent')
end

-- The domain whose trial failed, before those of earlier trials. At least one that is alive is not among them.
local function after_trial(failed_trials, domain, alive)
  local list = { domain }
  for _, name in ipairs(failed_trials) do
    if name ~= domain and #list < alive - 1 then
      list[#list + 1] = name
    end
  end
  return list
end

-- The domains when a circuit opens by a rule. A suspicion that is younger than the grace was raised by the outage itself.
local function after_opening(provider, domain)
  local quorum, circuit, now = provider.quorum, provider.circuit, provider.now
  local since_ms = circuit.outage_since_ms ~= 0 and circuit.outage_since_ms or now
  local domains, alive = quorum.domains, count_alive(provider, since_ms)
  domains.wide = alive > 1
  domains.failed_trials = circuit.state == 'closed' and {} or after_trial(domains.failed_trials, domain, alive)
  clear_suspects(provider, function(doubt)
    return not is_unnamed(doubt) and now - doubt.named_ms < quorum.rules.grace_ms
  end, 'fails with the others')
end
