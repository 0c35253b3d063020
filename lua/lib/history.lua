-- The sliding history: a sorted set of `<seq>:<status>:<count>`, score = ms of the run's first outcome.
-- The same rules as src/rules/history.ts. seq has leading zeros, because members of equal score sort as text.
--
-- The circuit remembers the newest member and its time, so that the newest run grows without being looked up; and a
-- time before which no run began, so that nobody looks for stale runs before there can be one.

-- @include lib/upkeep

-- A 200th of the window: how long a run grows, and how wide a bucket is.
local function bucket_ms(settings)
  return math.max(1, math.floor(settings.window_ms / 200))
end

-- Adds a run, or lets the newest grow. True when it added one. What happened a while ago (age_ms) enters at its time, but
-- never before the newest: the history grows at its end only.
local function append_run(provider, status, count, age_ms)
  local key, circuit, at = provider.keys.history, provider.circuit, provider.now
  if age_ms then
    at = math.max(at - age_ms, circuit.history_newest and circuit.history_newest_at_ms or 0)
  end
  circuit.history_total = circuit.history_total + count
  if status == 'healthy' then
    circuit.history_healthy = circuit.history_healthy + count
  end
  local newest = circuit.history_newest
  local seq, newest_status, newest_count = string.match(newest or '', '^(%d+):(%a+):(%d+)$')
  if newest_status == status and at - circuit.history_newest_at_ms < bucket_ms(provider.settings) then
    redis.call('ZREM', key, newest)
    newest = string.format('%s:%s:%.0f', seq, status, newest_count + count)
    redis.call('ZADD', key, as_text(circuit.history_newest_at_ms), newest)
    circuit.history_newest = newest
    return false
  end
  newest = string.format('%012.0f:%s:%.0f', (seq or 0) + 1, status, count)
  redis.call('ZADD', key, as_text(at), newest)
  circuit.history_newest, circuit.history_newest_at_ms = newest, at
  circuit.history_oldest_at_ms = seq and circuit.history_oldest_at_ms or at
  return true
end

-- Writes runs of outcomes that end now, or ended age_ms ago. O(runs), and what upkeep is due.
local function append_runs(provider, runs)
  local circuit, settings = provider.circuit, provider.settings
  if circuit.history_newest and circuit.history_oldest_at_ms < provider.now - settings.window_ms then
    evict_stale(provider)
  end
  local added = false
  for _, run in ipairs(runs) do
    added = append_run(provider, run.outcome, run.count, run.age_ms) or added
  end
  if circuit.history_total > settings.max_records then
    evict_excess(provider)
  end
  -- Members above which the oldest are coalesced.
  if added and redis.call('ZCARD', provider.keys.history) > 1000 then
    coalesce(provider, bucket_ms(settings))
  end
end
