import type { SettingsReply } from '../model/ports.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { HealthStatus, Source } from '../model/words.js'
import { askAgainInMs, blocksOf, type Block } from '../rules/blocks.js'
import { healthOf, successRate } from '../rules/health.js'
import { endsProbes, intervalNow, isStale } from '../rules/pace.js'

/** A provider at one moment, as its users see it. */
export interface Snapshot extends StoredSnapshot {
  /**
   * A mark if there is one; else `unhealthy` while the circuit is not closed; else what the history says, which is `degraded`
   * at worst where no outcome of the window failed.
   */
  readonly health: HealthStatus
  /** healthy / all outcomes in the window, 0 to 1; 1 when there are none. */
  readonly successRate: number
  readonly throttled: boolean
  /** How often it is to be probed as it is now, ms; null when it is not: no probe is configured, or a mark ended them. */
  readonly probeIntervalMs: number | null
  /** Whether it is to be probed, and no result has come for three of these intervals. */
  readonly stale: boolean
  /**
   * What blocks a call now, the gravest first; empty when nothing does. In half-open: that no trial is free. With
   * `enforce: false` nothing of it is refused.
   */
  readonly blockedBy: readonly Block[]
  readonly source: Source
}

/** `stored`, `elapsedMs` after it was taken. What is left is told in whole ms, and never ends before its time. */
export function ageSnapshot(stored: StoredSnapshot, elapsedMs: number): StoredSnapshot {
  const left = (ms: number) => Math.max(0, Math.ceil(ms - elapsedMs))
  const markEnded = stored.markForMs !== null && stored.markForMs <= elapsedMs
  const retryAfterMs = stored.retryAfterMs === null ? null : left(stored.retryAfterMs)
  const cooled = stored.state === 'open' && retryAfterMs === 0
  return {
    ...stored,
    state: cooled ? 'half_open' : stored.state,
    stateSince: cooled ? stored.at + (stored.retryAfterMs ?? 0) : stored.stateSince,
    retryAfterMs,
    trialFreeInMs: left(stored.trialFreeInMs),
    throttledForMs: left(stored.throttledForMs),
    mark: markEnded ? null : stored.mark,
    markReason: markEnded ? '' : stored.markReason,
    markActor: markEnded ? '' : stored.markActor,
    markEnded: markEnded || stored.markEnded,
    markForMs: markEnded || stored.markForMs === null ? null : left(stored.markForMs),
    at: stored.at + Math.floor(elapsedMs),
  }
}

/** `readAt`: when the store was last seen, Redis ms. Of results that came since, nobody here knows. */
export function presentSnapshot(
  stored: StoredSnapshot,
  settings: SettingsReply,
  source: Source,
  readAt = stored.at,
): Snapshot {
  const { history, probe: configured } = settings.settings
  const probe = endsProbes(stored.mark) ? undefined : configured
  return {
    ...stored,
    health: healthOf(stored, history.degradationThreshold),
    successRate: successRate(stored.historyHealthy, stored.historyTotal),
    throttled: stored.throttledForMs > 0,
    probeIntervalMs: probe === undefined ? null : intervalNow(probe, stored),
    stale: probe !== undefined && isStale(probe, stored, readAt),
    blockedBy: blockedBy(stored, settings.settings.breaker.halfOpenMaxTrials),
    source,
  }
}

function blockedBy(stored: StoredSnapshot, maxTrials: number): readonly Block[] {
  const blocks = blocksOf(stored)
  const { state, trials, trialFreeInMs } = stored
  if (blocks.length > 0 || state !== 'half_open' || trials < maxTrials) return blocks
  const reason = `half-open: ${trials} of ${maxTrials} trials under way`
  return [{ code: 'no_trial_free', reason, retryAfterMs: askAgainInMs(trialFreeInMs) }]
}
