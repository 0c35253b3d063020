import { isSuccess, type HealthStatus } from '../model/words.js'

/** The verdict of the last probes together, against flapping: one result that differs is not believed yet. */
export interface ProbeTrend {
  /** Whether the provider counts as bad by its probes. */
  readonly down: boolean
  /** Successive results that contradict it. */
  readonly streak: number
}

export const NO_TREND: ProbeTrend = { down: false, streak: 0 }

/** `healthyAfter` and `unhealthyAfter` of the probe. */
export interface Thresholds {
  readonly healthyAfter: number
  readonly unhealthyAfter: number
}

/**
 * Takes one more result. `believed`: the result agrees with the trend after it, so the circuit may judge it. Otherwise
 * the result enters the history only.
 */
export function follow(
  trend: ProbeTrend,
  status: HealthStatus,
  { healthyAfter, unhealthyAfter }: Thresholds,
): { readonly trend: ProbeTrend; readonly believed: boolean } {
  const bad = !isSuccess(status)
  if (bad === trend.down) return { trend: { ...trend, streak: 0 }, believed: true }
  const streak = trend.streak + 1
  if (streak < (bad ? unhealthyAfter : healthyAfter)) return { trend: { ...trend, streak }, believed: false }
  return { trend: { down: bad, streak: 0 }, believed: true }
}
