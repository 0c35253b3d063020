import { isSuccess, type HealthStatus } from '../model/words.js'

/** What the last probes say together, against flapping: one result that differs is not believed yet. */
export interface ProbeTrend {
  /** Whether the provider counts as bad by its probes. */
  readonly down: boolean
  /** Successive results that say otherwise. */
  readonly streak: number
}

export const NO_TREND: ProbeTrend = { down: false, streak: 0 }

/** `healthyAfter` and `unhealthyAfter` of the probe. */
export interface Thresholds {
  readonly healthyAfter: number
  readonly unhealthyAfter: number
}

/**
 * Takes one more result. `believed`: it agrees with what the provider counts as from now on, so the circuit may judge
 * it; one that is not believed is history only.
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
