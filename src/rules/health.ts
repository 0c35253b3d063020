import type { StoredSnapshot } from '../model/snapshot.js'
import type { HealthStatus } from '../model/words.js'

/** healthy / all; 1 when there is nothing to judge by. */
export const successRate = (healthy: number, total: number): number => (total === 0 ? 1 : healthy / total)

/** The seed's assessment of a rate: at or above the threshold healthy, above 0 degraded, else unhealthy. */
export function assess(rate: number, threshold: number): HealthStatus {
  if (rate >= threshold) return 'healthy'
  return rate > 0 ? 'degraded' : 'unhealthy'
}

/** The part of a snapshot that the health of a provider follows from. */
export type Observed = Pick<
  StoredSnapshot,
  'mark' | 'state' | 'historyHealthy' | 'historyFailed' | 'historyTotal'
>

/**
 * The health of a provider: its mark; without one, unhealthy unless the circuit is closed; else that of the history. A
 * provider that answered every time, however slowly, is degraded at worst.
 */
export function healthOf(snapshot: Observed, degradationThreshold: number): HealthStatus {
  if (snapshot.mark !== null) return snapshot.mark
  if (snapshot.state !== 'closed') return 'unhealthy'
  const assessed = assess(successRate(snapshot.historyHealthy, snapshot.historyTotal), degradationThreshold)
  return assessed === 'unhealthy' && snapshot.historyFailed === 0 ? 'degraded' : assessed
}
