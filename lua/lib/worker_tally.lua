-- Counts the calls of a batch for its worker, while somebody looks. The same rules as tallyBatch in
-- src/rules/worker-tallies.ts.
--
-- A field is a worker, and its value `<since ms> <calls> <failures> <calls before> <failures before> <in a row> <last ms>`: two
-- stretches of 30 s, the present one and the one before, and how many calls have failed since the last that did not. `*` is
-- all workers beyond the first 500.

-- @include lib/circuit
-- @include lib/complete
-- @include lib/outcomes

-- The value of a worker at a moment: since_ms, calls, failures, those of the stretch before, failures in a row.
local function read_tally(text, now)
  local STRETCH_MS = 30000
  local since_ms, calls, failures, calls_before, failures_before, in_a_row =
    string.match(text or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) ')
  local old_ms = since_ms and now - since_ms or 2 * STRETCH_MS
  if old_ms >= 2 * STRETCH_MS then
    return now, 0, 0, 0, 0, 0
  elseif old_ms >= STRETCH_MS then
    return since_ms + STRETCH_MS, 0, 0, calls + 0, failures + 0, in_a_row + 0
  end
  return since_ms + 0, calls + 0, failures + 0, calls_before + 0, failures_before + 0, in_a_row + 0
end

-- Calls and failures of a batch, and failures in a row after it, of which there were so many before. A run that waited for
-- Redis to come back is not of now.
local function count_batch(runs, in_a_row)
  local OLD_MS = 30000
  local calls, failures = 0, 0
  for _, run in ipairs(runs) do
    local origin, outcome, count = unpack(run, 1, 3)
    if origin == 'call' and outcome ~= 'ignored' and (run[10] or 0) < OLD_MS then
      calls = calls + count
      if failed(outcome) then
        failures, in_a_row = failures + count, in_a_row + count
      else
        in_a_row = 0
      end
    end
  end
  return calls, failures, in_a_row
end

-- Nobody looks any more. The version grows, so that every worker learns that it need not count.
local function end_viewing(provider)
  complete(provider)
  put(provider, 'viewed_until_ms', 0)
  put(provider, 'viewed_since_ms', 0)
  bump_version(provider)
end

local function tally_worker(provider, runs)
  local MAX_WORKERS = 500
  local key, worker, now = provider.keys.workers, provider.caller.worker, provider.now
  local until_ms = (provider.circuit.viewed_until_ms or 0) + 0
  if until_ms == 0 then
    return
  elseif until_ms <= now then
    return end_viewing(provider)
  end
  local text = redis.call('HGET', key, worker)
  if not text and redis.call('HLEN', key) >= MAX_WORKERS then
    worker = '*'
    text = redis.call('HGET', key, worker)
  end
  local since_ms, before, failures_before, older, failures_older, in_a_row = read_tally(text, now)
  local calls, failures
  calls, failures, in_a_row = count_batch(runs, in_a_row)
  if calls == 0 then
    return
  end
  local value = string.format(
    '%d %d %d %d %d %d %d', since_ms, before + calls, failures_before + failures, older, failures_older, in_a_row, now
  )
  if redis.call('HSET', key, worker, value) == 1 then
    redis.call('PEXPIRE', key, until_ms - now)
  end
end
