/**
 * How a provider makes its workers come less often, so that a fleet of any size costs its Redis a bounded number of
 * batches.
 *
 * Every batch reserves the next free slot of an endless row. The slots are as far apart as the budget allows, and the
 * wait until the slot is the pause until the worker's next flush. While the fleet stays below the budget, the row lags
 * behind the clock and no worker waits longer than its own flush interval. Above the budget, the row grows ahead of
 * the clock until workers come as often as slots do. Each worker has a slot of its own, so they do not come at once.
 * A batch that does not wait for its slot (a failure, a trial's result) reserves one too. Otherwise an outage, which
 * is nothing but failures, would exceed the budget.
 */
export interface BatchSlot {
  /** The end of the row, µs of provider time: a thousand slots may lie within some milliseconds. */
  readonly nextSlotUs: number
  /** How long the caller is to wait before its next flush, ms. */
  readonly waitMs: number
  /** The share of workers whose failures may go at once, 0 to 1: it falls as the wait grows. */
  readonly urgentShare: number
}

export interface BatchBudget {
  /** The pause that the caller keeps by itself, ms. */
  readonly flushIntervalMs: number
  /** The provider's budget, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
}

/** The rate that is aimed at, as a share of the budget: some batches are sent twice, and clocks round. */
const AIM = 0.9
/** Far beyond the need of 100 000 workers. It bounds the wait that a broken clock may cause. */
const MAX_WAIT_MS = 300_000

/** O(1). */
export function nextSlot(nextSlotUs: number, nowMs: number, budget: BatchBudget): BatchSlot {
  const { flushIntervalMs, maxBatchesPerSecond } = budget
  const nowUs = nowMs * 1_000
  const step = Math.ceil(1e6 / (AIM * maxBatchesPerSecond))
  const slotUs = Math.min(Math.max(nextSlotUs, nowUs) + step, nowUs + MAX_WAIT_MS * 1_000)
  const waitMs = Math.max(flushIntervalMs, Math.floor((slotUs - nowUs) / 1_000))
  return { nextSlotUs: slotUs, waitMs, urgentShare: Math.floor((flushIntervalMs / waitMs) * 1e6) / 1e6 }
}
