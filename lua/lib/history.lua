-- The sliding history: a sorted set of `<seq>:<status>:<count>`, score = ms of the run's first outcome.
-- The same rules as src/rules/history.ts. seq has leading zeros, because members of equal score sort as text.
--
-- The circuit keeps three things, so that a write does not walk the window:
-- the newest member and its time, so that the newest run grows without a look-up;
-- a time before which no run began, so that stale runs are looked for only when there can be one;
-- totals, for rates and trip rules.
-- A batch begins with `begin_history`, appends run by run, and ends with `end_history`.

-- @include lib/outcomes

-- How long a run grows, and how wide a bucket is: a 200th of the window.
local function bucket_ms(settings)
  return math.max(1, math.floor(settings.window_ms / 200))
end

-- Counts outcomes that enter; with a negative count, that leave. It writes fields as `put` does, without the cost of a
-- call for each, because every batch comes here.
local function count_in_history(provider, status, count)
  local circuit, touched = provider.circuit, provider.touched
  circuit.history_total, touched.history_total = circuit.history_total + count, true
  if status == 'healthy' then
    circuit.history_healthy, touched.history_healthy = (circuit.history_healthy or 0) + count, true
  elseif failed(status) then
    circuit.history_failed, touched.history_failed = (circuit.history_failed or 0) + count, true
  end
end

-- Converts the numbers of the history that are compared, and evicts outcomes older than the window. The newest run's time
-- stays text, because that is how Redis takes it.
local function begin_history(provider)
  local circuit, settings = provider.circuit, provider.settings
  circuit.history_total = (circuit.history_total or 0) + 0
  circuit.history_oldest_at_ms = (circuit.history_oldest_at_ms or 0) + 0
  if circuit.history_newest and circuit.history_oldest_at_ms < provider.now - settings.window_ms then
    -- @include lib/compaction
    evict_stale(provider)
  end
end

-- Adds a run, or extends the newest. An outcome of a while ago (age_ms) enters at its own time, but never before the
-- newest run, because the history grows at its end only.
local function append_run(provider, status, count, age_ms)
  local key, circuit, touched, at = provider.keys.history, provider.circuit, provider.touched, provider.now
  local newest = circuit.history_newest
  if age_ms then
    at = math.max(at - age_ms, newest and circuit.history_newest_at_ms + 0 or 0)
  end
  count_in_history(provider, status, count)
  touched.history_newest = true
  local seq, newest_status, newest_count = string.match(newest or '', '^(%d+):([^:]+):(%d+)$')
  if newest_status == status and at - circuit.history_newest_at_ms < bucket_ms(provider.settings) then
    redis.call('ZREM', key, newest)
    circuit.history_newest = string.format('%s:%s:%d', seq, status, newest_count + count)
    redis.call('ZADD', key, as_text(circuit.history_newest_at_ms), circuit.history_newest)
    return
  end
  circuit.history_newest = string.format('%012d:%s:%d', (seq or 0) + 1, status, count)
  redis.call('ZADD', key, as_text(at), circuit.history_newest)
  circuit.history_newest_at_ms = at
  circuit.history_oldest_at_ms = seq and circuit.history_oldest_at_ms or at
  touched.history_newest_at_ms, touched.history_oldest_at_ms = true, true
  provider.added_runs = true
end

-- Ends a batch: evicts what is above max_records, and merges old runs.
local function end_history(provider)
  if provider.circuit.history_total > provider.settings.max_records then
    -- @include lib/compaction
    evict_excess(provider)
  end
  -- The number of members above which the oldest are coalesced.
  if provider.added_runs and redis.call('ZCARD', provider.keys.history) > 1000 then
    -- @include lib/compaction
    coalesce(provider, bucket_ms(provider.settings))
  end
end
