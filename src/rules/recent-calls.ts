import type { Run } from '../model/ports/store-requests.js'

/**
 * Calls that never enter the history, but concern an operator: client errors, and calls that were ignored. Kept is how
 * many came in the last window, and what the last one saw. The same rules as `lua/lib/recent_calls.lua`.
 *
 * Two counters take the place of a list, so memory is bounded: those of the present stretch, which is one window long,
 * and those of the stretch before it. A reader takes of the latter the part that is still in the window, as if they had
 * come evenly. The count is exact while all of them came within one window.
 */
export interface RecentCalls {
  readonly count: number
  /** Calls of the stretch before. */
  readonly before: number
  /** When the present stretch began, ms. */
  readonly sinceMs: number
  /** The detail of the last one, such as `HTTP 401`. */
  readonly last: string
}

export const NO_RECENT_CALLS: RecentCalls = { count: 0, before: 0, sinceMs: 0, last: '' }

/** A run that is older than the window counts nowhere. */
export function noteRecent(
  recent: RecentCalls,
  run: Pick<Run, 'count' | 'detail' | 'ageMs'>,
  nowMs: number,
  windowMs: number,
): RecentCalls {
  if (run.count === 0 || run.ageMs > windowMs) return recent
  const { count, before, sinceMs } = stretchAt(recent, nowMs, windowMs)
  return { count: count + run.count, before, sinceMs, last: run.detail }
}

function stretchAt(recent: RecentCalls, nowMs: number, windowMs: number): RecentCalls {
  const oldMs = nowMs - recent.sinceMs
  if (oldMs > 2 * windowMs) return { ...NO_RECENT_CALLS, sinceMs: nowMs }
  if (oldMs <= windowMs) return recent
  return { ...recent, count: 0, before: recent.count, sinceMs: recent.sinceMs + windowMs }
}

/** How many are in the window at `nowMs`, and what the last of them saw. */
export function viewRecent(
  recent: RecentCalls,
  nowMs: number,
  windowMs: number,
): { readonly count: number; readonly last: string } {
  const { count, before, sinceMs, last } = stretchAt(recent, nowMs, windowMs)
  const still = Math.floor((before * (windowMs - (nowMs - sinceMs))) / windowMs)
  return count + still === 0 ? { count: 0, last: '' } : { count: count + still, last }
}
