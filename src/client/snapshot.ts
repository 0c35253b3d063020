import type { SettingsReply } from '../model/ports.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { HealthStatus, Source } from '../model/words.js'
import { healthOf, isStale, successRate } from '../rules/health.js'

/** A provider at one moment, as its users see it. */
export interface Snapshot extends StoredSnapshot {
  /** A mark if there is one; else `unhealthy` while the circuit is open; else what the history says. */
  readonly health: HealthStatus
  /** healthy / all outcomes in the window, 0 to 1; 1 when there are none. */
  readonly successRate: number
  readonly throttled: boolean
  /** Whether probes should run (none was ended by a mark) and none has ended for three intervals. */
  readonly stale: boolean
  readonly source: Source
}

/** `stored`, `elapsedMs` after it was taken. */
export function ageSnapshot(stored: StoredSnapshot, elapsedMs: number): StoredSnapshot {
  const left = (ms: number) => Math.max(0, ms - elapsedMs)
  const markEnded = stored.markForMs !== null && stored.markForMs <= elapsedMs
  const retryAfterMs = stored.retryAfterMs === null ? null : left(stored.retryAfterMs)
  return {
    ...stored,
    state: stored.state === 'open' && retryAfterMs === 0 ? 'half_open' : stored.state,
    retryAfterMs,
    trialFreeInMs: left(stored.trialFreeInMs),
    throttledForMs: left(stored.throttledForMs),
    mark: markEnded ? null : stored.mark,
    markReason: markEnded ? '' : stored.markReason,
    markActor: markEnded ? '' : stored.markActor,
    markForMs: markEnded || stored.markForMs === null ? null : left(stored.markForMs),
    at: stored.at + Math.floor(elapsedMs),
  }
}

export function presentSnapshot(stored: StoredSnapshot, settings: SettingsReply, source: Source): Snapshot {
  const { history, probe } = settings.settings
  const probed = probe !== undefined && (stored.mark === null || stored.mark === 'degraded')
  return {
    ...stored,
    health: healthOf(stored, history.degradationThreshold),
    successRate: successRate(stored.historyHealthy, stored.historyTotal),
    throttled: stored.throttledForMs > 0,
    stale: probed && isStale(probe.intervalMs, stored.lastProbeAt, settings.setAt, stored.at),
    source,
  }
}
