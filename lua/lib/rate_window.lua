-- The rate window: the calls of about the last rateWindowMs, in ten buckets with running sums. The same rules as
-- src/rules/rate-window.ts.
--
-- The hash has `sums`, which is `<generation> <bucket_ms> <since_ms> <newest> <calls> <failures> <degraded>`, and a field a
-- bucket, `0` to `9`, which is `<calls> <failures> <degraded>`. It is of one generation and one width; a hash of another is
-- empty. A bucket that expires is subtracted once, so that a look is O(1).

-- @include lib/judgement

local BUCKETS = 10

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

local function read_bucket(text)
  local calls, failures, degraded = string.match(text or '', '^(%d+) (%d+) (%d+)$')
  return { (calls or 0) + 0, (failures or 0) + 0, (degraded or 0) + 0 }
end

-- Subtracts the buckets that expired, and leaves them to be removed.
local function expire_buckets(window, key, newest)
  local fields = {}
  for number = window.newest + 1, newest do
    fields[#fields + 1] = as_text(number % BUCKETS)
  end
  for i, text in ipairs(redis.call('HMGET', key, unpack(fields))) do
    if text then
      local expired = read_bucket(text)
      window.calls = window.calls - expired[1]
      window.failures = window.failures - expired[2]
      window.degraded = window.degraded - expired[3]
      window.expired = window.expired or {}
      window.expired[#window.expired + 1] = fields[i]
    end
  end
  window.newest, window.bucket = newest, { 0, 0, 0 }
end

local function read_window(provider, generation, bucket_ms, newest)
  local key = provider.keys.window
  local sums, bucket = unpack(redis.call('HMGET', key, 'sums', as_text(newest % BUCKETS)))
  local of, width, since_ms, last, calls, failures, degraded =
    string.match(sums or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  if of ~= generation or width + 0 ~= bucket_ms or newest - last >= BUCKETS then
    return empty_window(generation, bucket_ms, newest)
  end
  local window = {
    generation = generation,
    bucket_ms = bucket_ms,
    since_ms = since_ms + 0,
    newest = last + 0,
    calls = calls + 0,
    failures = failures + 0,
    degraded = degraded + 0,
    stored = true,
  }
  if window.newest < newest then
    expire_buckets(window, key, newest)
  else
    window.bucket = read_bucket(bucket)
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
  if failed(outcome) then
    window.failures, bucket[2] = window.failures + n, bucket[2] + n
  elseif outcome == 'degraded' then
    window.degraded, bucket[3] = window.degraded + n, bucket[3] + n
  end
  window.touched = true
end

-- Whether its rates may be judged. Failures arrive before successes, because they are quicker and are sent at once, so a
-- young window has too many of them.
local function is_mature(provider, window)
  local LEAST_AGE_MS = 1000
  return window.calls > 0 and provider.now - window.since_ms >= math.max(window.bucket_ms, LEAST_AGE_MS)
end

local function save_window(provider)
  local window, key = provider.window, provider.keys.window
  if not window or not window.touched then
    return
  end
  if not window.stored then
    redis.call('DEL', key)
  elseif window.expired then
    redis.call('HDEL', key, unpack(window.expired))
  end
  local bucket = window.bucket
  redis.call(
    'HSET', key,
    'sums', string.format(
      '%s %d %d %d %d %d %d',
      window.generation, window.bucket_ms, window.since_ms, window.newest, window.calls, window.failures, window.degraded
    ),
    as_text(window.newest % BUCKETS), string.format('%d %d %d', bucket[1], bucket[2], bucket[3])
  )
end

-- The window as it stands now, for the present generation; nil where no rate rule is on. It has the rules that judge it and
-- what can be done with it, so that callers need no function of this file. Whether it is mature does not change in a script.
local function rate_window(provider)
  local rules = judgement(provider)
  if not rules or not rules.rates then
    return nil
  end
  local generation = as_text(provider.circuit.generation)
  local bucket_ms = math.floor(rules.rate_window_ms / BUCKETS)
  local window = provider.window
  if not window then
    window = read_window(provider, generation, bucket_ms, math.floor(provider.now / bucket_ms))
  elseif window.generation ~= generation then
    window = empty_window(generation, bucket_ms, window.newest)
  end
  window.rules, window.count, window.save = rules, count_calls, save_window
  window.mature = is_mature(provider, window)
  provider.window = window
  return window
end

-- Empties it. A read comes first: the window that is stored may be of another generation.
local function empty_rate_window(provider)
  local window = rate_window(provider)
  provider.window = empty_window('', window.bucket_ms, window.newest)
  rate_window(provider).touched = true
end
