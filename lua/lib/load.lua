-- How a provider tells its workers to come less often. The same rules as src/rules/load.ts.

-- The rate that is aimed at, as a share of the budget.
local LOAD_AIM = 0.9
local LOAD_MAX_WAIT_MS = 300000

-- The slot that a batch reserves: its time, how long the caller is to wait for it, and the share of workers whose
-- failures may go at once. O(1).
local function next_slot(provider, flush_interval_ms, max_batches_per_second)
  local now_us = provider.now * 1000
  local step = math.ceil(1e6 / (LOAD_AIM * max_batches_per_second))
  local slot_us = math.max(provider.circuit.next_slot_us, now_us) + step
  slot_us = math.min(slot_us, now_us + LOAD_MAX_WAIT_MS * 1000)
  local wait_ms = math.max(flush_interval_ms, math.floor((slot_us - now_us) / 1000))
  return slot_us, wait_ms, string.format('%.6f', math.floor(flush_interval_ms / wait_ms * 1e6) / 1e6)
end
