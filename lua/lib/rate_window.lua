-- The rate window: calls of about the last `rateWindowMs`, in ten buckets with running sums. The same rules as
-- src/rules/rate-window.ts.
--
-- A hash: `sums` is `<calls> <calls of the newest bucket> <newest bucket> <generation> <ms of a bucket> <since, ms> <failures>
-- <degraded>` and then failures and degraded calls of the newest bucket alone, so that a batch reads and writes one field. An
-- earlier bucket has a field of its own, `0` to `9`: `<calls> <failures> <degraded>`. The window is of one generation and one
-- width; a hash of another is empty. A bucket that expires is subtracted once, so that a look is O(1).

-- @include lib/judgement

local BUCKETS = 10
-- No rate is judged in the first tenth of a window, nor within this time.
local LEAST_AGE_MS = 1000

local function empty_window(generation, bucket_ms, newest)
  return {
    generation = generation,
    bucket_ms = bucket_ms,
    since_ms = 0,
    newest = newest,
    calls = 0,
    failures = 0,
    degraded = 0,
    bucket = { 0, 0, 0 },
    stored = false,
  }
end

local function read_window(provider, generation, bucket_ms)
  local key, newest = provider.keys.window, math.floor(provider.now / bucket_ms)
  local sums = redis.call('HGET', key, 'sums')
  local calls, n, last, of, width, since_ms, failures, degraded, bad, slow = string.match(
    sums or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
  )
  if of ~= generation or width + 0 ~= bucket_ms or newest - last >= BUCKETS then
    return empty_window(generation, bucket_ms, newest)
  end
  local window = {
    generation = of,
    bucket_ms = bucket_ms,
    since_ms = since_ms + 0,
    newest = last + 0,
    calls = calls + 0,
    failures = failures + 0,
    degraded = degraded + 0,
    bucket = { n + 0, bad + 0, slow + 0 },
    stored = true,
  }
  if window.newest < newest then
    -- @include lib/rate_bucket
    turn_bucket(window, key, newest)
  end
  return window
end

-- Counts n calls more, which ended so.
local function count_calls(provider, window, outcome, n)
  local bucket = window.bucket
  if window.calls == 0 then
    window.since_ms = provider.now
  end
  window.calls, bucket[1] = window.calls + n, bucket[1] + n
  if outcome == 'degraded' then
    window.degraded, bucket[3] = window.degraded + n, bucket[3] + n
  elseif failed(outcome) then
    window.failures, bucket[2] = window.failures + n, bucket[2] + n
  end
  window.touched = true
end

local function save_window(provider)
  local window, key = provider.window, provider.keys.window
  if not window.touched then
    return
  end
  if not window.stored then
    redis.call('DEL', key)
    if window.calls == 0 then
      return
    end
  elseif window.expired then
    redis.call('HDEL', key, unpack(window.expired))
  end
  local bucket = window.bucket
  local sums = string.format(
    '%d %d %d %s %d %d %d %d %d %d', window.calls, bucket[1], window.newest, window.generation, window.bucket_ms,
    window.since_ms, window.failures, window.degraded, bucket[2], bucket[3]
  )
  if window.ended then
    redis.call('HSET', key, 'sums', sums, window.ended[1], window.ended[2])
  else
    redis.call('HSET', key, 'sums', sums)
  end
end

-- Empties it. It was read before: the window that is stored may be of another generation.
local function clear_window(provider)
  local window = provider.window
  local empty = empty_window(window.generation, window.bucket_ms, window.newest)
  empty.count, empty.save, empty.clear, empty.touched = window.count, window.save, window.clear, true
  provider.window = empty
end

-- The window as it stands now, for the present generation; nil where no rate rule is on. It has what can be done with it, so
-- that callers need no function of this file. Whether it is mature does not change in a script.
local function rate_window(provider)
  local judged_by = provider.circuit.judged_by
  local width_ms = judged_by and rates_alone_ms(judged_by)
  if not width_ms then
    local rules = judgement(provider)
    if not rules or not rules.rates then
      return nil
    end
    width_ms = rules.rate_window_ms
  end
  local generation = as_text(provider.circuit.generation)
  local bucket_ms, window = math.floor(width_ms / BUCKETS), provider.window
  if not window then
    window = read_window(provider, generation, bucket_ms)
  elseif window.generation ~= generation then
    window = empty_window(generation, bucket_ms, window.newest)
  end
  window.count, window.save, window.clear = count_calls, save_window, clear_window
  -- Failures arrive before successes, because they are quicker and are sent at once, so a young window has too many of them.
  window.mature = window.calls > 0 and provider.now - window.since_ms >= math.max(bucket_ms, LEAST_AGE_MS)
  provider.window = window
  return window
end
