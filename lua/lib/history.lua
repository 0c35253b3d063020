-- The sliding history: a sorted set of `<seq>:<status>:<count>`, score = ms of the run's first outcome.
-- The same rules as src/rules/history.ts. seq has leading zeros, because members of equal score sort as text.
--
-- The circuit remembers the newest member and its time, so that the newest run grows without being looked up; a time before
-- which no run began, so that stale runs are not looked for before there can be one; and totals, so that a rate, or a trip
-- rule, does not walk the window. A batch begins with `begin_history`, appends run by run, and ends with `end_history`.

-- @include lib/outcomes

-- A 200th of the window: how long a run grows, and how wide a bucket is.
local function bucket_ms(settings)
  return math.max(1, math.floor(settings.window_ms / 200))
end

-- Makes numbers of what the circuit says of the history, and takes out what is older than the window.
local function begin_history(provider)
  local circuit, settings = provider.circuit, provider.settings
  circuit.history_total = (circuit.history_total or 0) + 0
  circuit.history_healthy = (circuit.history_healthy or 0) + 0
  circuit.history_failed = (circuit.history_failed or 0) + 0
  circuit.history_newest_at_ms = (circuit.history_newest_at_ms or 0) + 0
  circuit.history_oldest_at_ms = (circuit.history_oldest_at_ms or 0) + 0
  if circuit.history_newest and circuit.history_oldest_at_ms < provider.now - settings.window_ms then
    -- @include lib/compaction
    evict_stale(provider)
  end
end

-- What a trip rule may judge by: all that came before. in_a_row: failures in a row, of outcomes of this origin.
local function counts_before(provider, origin, in_a_row)
  local circuit = provider.circuit
  return {
    origin = origin,
    in_a_row = in_a_row,
    window_total = circuit.history_total,
    window_failed = circuit.history_failed,
  }
end

-- Adds a run, or lets the newest grow. What happened a while ago (age_ms) enters at its time, but never before the newest:
-- the history grows at its end only.
local function append_run(provider, status, count, age_ms)
  local key, circuit, touched, at = provider.keys.history, provider.circuit, provider.touched, provider.now
  local newest = circuit.history_newest
  if age_ms then
    at = math.max(at - age_ms, newest and circuit.history_newest_at_ms or 0)
  end
  -- As `put` does, without a call for each: this runs at every batch.
  touched.history_total, touched.history_newest = true, true
  circuit.history_total = circuit.history_total + count
  if status == 'healthy' then
    circuit.history_healthy, touched.history_healthy = circuit.history_healthy + count, true
  elseif failed(status) then
    circuit.history_failed, touched.history_failed = circuit.history_failed + count, true
  end
  local seq, newest_status, newest_count = string.match(newest or '', '^(%d+):([^:]+):(%d+)$')
  if newest_status == status and at - circuit.history_newest_at_ms < bucket_ms(provider.settings) then
    redis.call('ZREM', key, newest)
    newest = seq .. ':' .. status .. ':' .. as_text(newest_count + count)
    redis.call('ZADD', key, as_text(circuit.history_newest_at_ms), newest)
    circuit.history_newest = newest
    return
  end
  newest = string.format('%012d:%s:%d', (seq or 0) + 1, status, count)
  redis.call('ZADD', key, as_text(at), newest)
  circuit.history_newest, circuit.history_newest_at_ms = newest, at
  circuit.history_oldest_at_ms = seq and circuit.history_oldest_at_ms or at
  touched.history_newest_at_ms, touched.history_oldest_at_ms = true, true
  provider.added_runs = true
end

-- What is too much goes, and what is many becomes few.
local function end_history(provider)
  if provider.circuit.history_total > provider.settings.max_records then
    -- @include lib/compaction
    evict_excess(provider)
  end
  -- Members above which the oldest are coalesced.
  if provider.added_runs and redis.call('ZCARD', provider.keys.history) > 1000 then
    -- @include lib/compaction
    coalesce(provider, bucket_ms(provider.settings))
  end
end
