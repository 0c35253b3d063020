import type { BreakerSettings } from '../model/settings.js'

/** Calls that ended within some time, and how. The same rules as `lua/lib/rate_window.lua`. */
export interface WindowCounts {
  readonly calls: number
  readonly failures: number
  readonly degraded: number
}

/**
 * The calls of about the last `rateWindowMs`, in ten buckets with running sums: a bucket that expires is subtracted once, so
 * that a look is O(1). The window spans 0.9 to 1.0 of `rateWindowMs`, and the counts in it are exact. It is of one generation of
 * the circuit and one width; one of another is empty.
 */
export interface RateWindow extends WindowCounts {
  readonly generation: number
  readonly bucketMs: number
  /** When the first call entered it since it was last empty, ms. */
  readonly sinceMs: number
  /** Number of the newest bucket, counted from 1970. */
  readonly newest: number
  /** The bucket `n` is at `n % 10`. */
  readonly buckets: readonly WindowCounts[]
}

const BUCKETS = 10
/** No rate is judged in the first tenth of a window, nor within this time, ms. */
const LEAST_AGE_MS = 1_000

const NO_CALLS: WindowCounts = { calls: 0, failures: 0, degraded: 0 }

export const EMPTY_WINDOW: RateWindow = {
  ...NO_CALLS,
  generation: 0,
  bucketMs: 0,
  sinceMs: 0,
  newest: 0,
  buckets: Array.from({ length: BUCKETS }, () => NO_CALLS),
}

/** How a call counts in the window. */
export type Rated = 'good' | 'degraded' | 'failed'

export const judgesRates = ({ failureRate, degradedRate }: BreakerSettings): boolean =>
  failureRate !== undefined || degradedRate !== undefined

/** The window as it stands at `nowMs`, for the circuit's present generation. */
export function windowAt(
  window: RateWindow,
  generation: number,
  nowMs: number,
  { rateWindowMs }: BreakerSettings,
): RateWindow {
  const bucketMs = Math.floor(rateWindowMs / BUCKETS)
  const newest = Math.floor(nowMs / bucketMs)
  const steps = newest - window.newest
  if (window.generation !== generation || window.bucketMs !== bucketMs || steps >= BUCKETS)
    return { ...EMPTY_WINDOW, generation, bucketMs, newest }
  if (steps <= 0) return window
  let { calls, failures, degraded } = window
  const buckets = [...window.buckets]
  for (let number = window.newest + 1; number <= newest; number += 1) {
    const expired = buckets[number % BUCKETS] ?? NO_CALLS
    calls -= expired.calls
    failures -= expired.failures
    degraded -= expired.degraded
    buckets[number % BUCKETS] = NO_CALLS
  }
  return { ...window, calls, failures, degraded, newest, buckets }
}

/** Counts `n` calls more, in a window as `windowAt` gives it. */
export function countCalls(window: RateWindow, rated: Rated, n: number, nowMs: number): RateWindow {
  const at = window.newest % BUCKETS
  const buckets = [...window.buckets]
  buckets[at] = plus(buckets[at] ?? NO_CALLS, rated, n)
  const sinceMs = window.calls === 0 ? nowMs : window.sinceMs
  return { ...window, ...plus(window, rated, n), sinceMs, buckets }
}

const plus = ({ calls, failures, degraded }: WindowCounts, rated: Rated, n: number): WindowCounts => ({
  calls: calls + n,
  failures: rated === 'failed' ? failures + n : failures,
  degraded: rated === 'degraded' ? degraded + n : degraded,
})

/**
 * Whether its rates may be judged. Failures arrive before successes, because they are quicker and are sent at once, so a
 * young window has too many of them.
 */
export const isMature = ({ calls, bucketMs, sinceMs }: RateWindow, nowMs: number): boolean =>
  calls > 0 && nowMs - sinceMs >= Math.max(bucketMs, LEAST_AGE_MS)

/** The part of a snapshot that is the window's. */
export function presentWindow(
  window: RateWindow,
  circuit: { readonly generation: number; readonly phase: { readonly state: string } },
  nowMs: number,
  settings: BreakerSettings,
) {
  const judged = judgesRates(settings) && circuit.phase.state === 'closed'
  const { calls, failures, degraded } = judged
    ? windowAt(window, circuit.generation, nowMs, settings)
    : EMPTY_WINDOW
  const rate = (bad: number) =>
    calls < settings.minimumCalls ? null : Math.floor((bad * PARTS) / calls) / PARTS
  return {
    windowCalls: calls,
    windowFailures: failures,
    windowDegraded: degraded,
    failureRate: judged ? rate(failures) : null,
    degradedRate: judged ? rate(failures + degraded) : null,
  }
}

/** Rates are compared in whole ten-thousandths, so that Lua and TypeScript agree. */
export const PARTS = 10_000
export const inParts = (rate: number): number => Math.floor(rate * PARTS + 0.5)
