import { inParts, PARTS } from '../rate-window.js'
import type { Counts, Trip, TripRule } from './rule.js'

/** Opens when the share of failed calls in the rate window reaches `failureRate`. */
export const failureRate: TripRule = (counts, run, { failureRate: rate, minimumCalls }) => {
  const { window, bad, backing } = counts
  if (!backing.failures || rate === undefined || window === undefined || bad !== 'failed') return undefined
  return reach('failure rate', counts, { run, limit: inParts(rate), before: window.failures, minimumCalls })
}

/** Opens when the share of calls in the rate window that were degraded or failed reaches `degradedRate`. */
export const degradedRate: TripRule = (counts, run, { degradedRate: rate, minimumCalls }) => {
  const { window, backing } = counts
  if (!backing.poor || rate === undefined || window === undefined) return undefined
  const before = window.failures + window.degraded
  return reach('degraded rate', counts, { run, limit: inParts(rate), before, minimumCalls })
}

interface Reach {
  /** Outcomes in the run. */
  readonly run: number
  /** The rate that opens, in ten-thousandths. */
  readonly limit: number
  /** Bad calls before the run. */
  readonly before: number
  readonly minimumCalls: number
}

/**
 * The first outcome of the run at which the rate holds. With T calls and F bad ones before it, the k-th makes F + k of T + k,
 * which reaches r when k >= (r T - F) / (1 - r); a rate of 1 is reached only where no call was good.
 */
function reach(
  what: string,
  { origin, window }: Counts,
  { run, limit, before, minimumCalls }: Reach,
): Trip | undefined {
  if (origin !== 'call' || window === undefined) return undefined
  const { calls } = window
  if (limit === PARTS && before !== calls) return undefined
  const missing = limit === PARTS ? 1 : Math.ceil((limit * calls - PARTS * before) / (PARTS - limit))
  const at = Math.max(1, minimumCalls - calls, missing)
  if (at > run) return undefined
  const share = Math.floor((100 * (before + at)) / (calls + at))
  return { at, reason: `${what} ${share} % of ${calls + at} calls (limit ${percent(limit)} %)` }
}

/** 3333 as `33.33`, 5000 as `50`. */
function percent(parts: number): string {
  const rest = parts % 100
  const whole = Math.floor(parts / 100)
  if (rest === 0) return String(whole)
  return rest % 10 === 0 ? `${whole}.${rest / 10}` : `${whole}.${rest < 10 ? '0' : ''}${rest}`
}
