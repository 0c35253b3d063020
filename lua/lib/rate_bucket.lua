-- A bucket of the rate window ends. Needs lib/rate_window.

-- Begins a new bucket, subtracts those that expired, and leaves them to be removed and the last one to be written.
local function turn_bucket(window, key, newest)
  local fields, last = {}, window.newest % BUCKETS
  for number = window.newest + 1, newest do
    fields[#fields + 1] = as_text(number % BUCKETS)
  end
  for i, text in ipairs(redis.call('HMGET', key, unpack(fields))) do
    if text then
      local calls, failures, degraded = string.match(text, '^(%d+) (%d+) (%d+)$')
      window.calls = window.calls - calls
      window.failures = window.failures - failures
      window.degraded = window.degraded - degraded
      window.expired = window.expired or {}
      window.expired[#window.expired + 1] = fields[i]
    end
  end
  window.ended = { as_text(last), string.format('%d %d %d', unpack(window.bucket)) }
  window.newest, window.bucket = newest, { 0, 0, 0 }
end
