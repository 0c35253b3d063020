-- Asks workers to send batches less often when a provider would cost too many. The same rules as
-- src/rules/backpressure.ts.

-- Reserves the next slot for a batch, and returns its time. If the caller is to wait longer than its own interval, it
-- also returns the wait, and the share of workers whose failures may go at once. O(1).
local function next_slot(next_slot_us, now, flush_interval_ms, max_batches_per_second)
  -- The rate aimed at, as a share of the budget; and the longest wait, so that a broken clock cannot silence a worker.
  local AIM, MAX_WAIT_MS = 0.9, 300000
  local now_us = now * 1000
  local step = math.ceil(1e6 / (AIM * max_batches_per_second))
  local slot_us = math.max(next_slot_us, now_us) + step
  slot_us = math.min(slot_us, now_us + MAX_WAIT_MS * 1000)
  local wait_ms = math.floor((slot_us - now_us) / 1000)
  if wait_ms <= flush_interval_ms then
    return slot_us
  end
  return slot_us, wait_ms, string.format('%.6f', math.floor(flush_interval_ms / wait_ms * 1e6) / 1e6)
end
