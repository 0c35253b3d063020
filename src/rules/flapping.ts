import { isSuccess, type HealthStatus } from '../model/words.js'

/** What the last probes say together, against flapping: one result that differs is not believed yet. */
export interface ProbeTrend {
  /** Whether the provider counts as bad by its probes. */
  readonly down: boolean
  /** Successive results that say otherwise. */
  readonly against: number
}

export const NO_TREND: ProbeTrend = { down: false, against: 0 }

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
  if (bad === trend.down) return { trend: { ...trend, against: 0 }, believed: true }
  const against = trend.against + 1
  if (against < (bad ? unhealthyAfter : healthyAfter))
    return { trend: { ...trend, against }, believed: false }
  return { trend: { down: bad, against: 0 }, believed: true }
}
