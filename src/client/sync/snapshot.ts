import type { SettingsReply } from '../../model/ports/store-replies.js'
import type { BreakerSettings } from '../../model/settings.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { HealthStatus, Source } from '../../model/words.js'
import { askAgainInMs, blocksOf, type Block, type Enforced } from '../../rules/blocks.js'
import { healthOf, successRate } from '../../rules/health.js'
import { rampBlock } from '../../rules/ramp.js'
import { endsProbes, intervalNow, isStale } from '../../rules/probe-interval.js'

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
   * What blocks a call now, the gravest first; empty when nothing does. In half-open: that no trial is free. Last
   * `recovering`, which refuses a share of the calls alone. With `enforce: false` nothing of it is refused.
   */
  readonly blockedBy: readonly Block[]
  readonly source: Source
}

/** `stored`, `elapsedMs` after it was taken. What is left is told in whole ms, and never ends before its time. */
export function ageSnapshot(stored: StoredSnapshot, elapsedMs: number): StoredSnapshot {
  const markEnded = hasMarkEnded(stored, elapsedMs)
  const aged = ageBlocking(stored, elapsedMs)
  const rampForMs = left(stored.rampForMs, elapsedMs)
  const cooled = aged.state !== stored.state
  return {
    ...stored,
    ...aged,
    stateSince: cooled ? stored.at + (stored.retryAfterMs ?? 0) : stored.stateSince,
    // The end of a ramp resets the cooldown.
    cooldownMs: stored.rampForMs > 0 && rampForMs === 0 ? 0 : stored.cooldownMs,
    rampForMs,
    openMsTotal: stored.openMsTotal + (stored.state === 'closed' ? 0 : Math.floor(elapsedMs)),
    trialFreeInMs: left(stored.trialFreeInMs, elapsedMs),
    viewedForMs: left(stored.viewedForMs, elapsedMs),
    markActor: markEnded ? '' : stored.markActor,
    markEnded: markEnded || stored.markEnded,
    at: stored.at + Math.floor(elapsedMs),
  }
}

/** The part of it that admission needs. Written out: a refusal costs little else, and a whole snapshot has dozens of fields. */
export function ageBlocking(stored: StoredSnapshot, elapsedMs: number): Enforced {
  const { state, retryAfterMs, mark, markReason, markForMs } = stored
  const markEnded = hasMarkEnded(stored, elapsedMs)
  const retryInMs = retryAfterMs === null ? null : left(retryAfterMs, elapsedMs)
  return {
    state: state === 'open' && retryInMs === 0 ? 'half_open' : state,
    reason: stored.reason,
    retryAfterMs: retryInMs,
    mark: markEnded ? null : mark,
    markReason: markEnded ? '' : markReason,
    markForMs: markEnded || markForMs === null ? null : left(markForMs, elapsedMs),
    throttledForMs: left(stored.throttledForMs, elapsedMs),
    enforce: stored.enforce,
  }
}

const left = (ms: number, elapsedMs: number): number => Math.max(0, Math.ceil(ms - elapsedMs))

const hasMarkEnded = ({ markForMs }: StoredSnapshot, elapsedMs: number): boolean =>
  markForMs !== null && markForMs <= elapsedMs

/** `readAt`: when the store was last seen, Redis ms. Results that came since are not known here. */
export function presentSnapshot(
  stored: StoredSnapshot,
  settings: Pick<SettingsReply, 'settings'>,
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
    blockedBy: blockedBy(stored, settings.settings.breaker),
    source,
  }
}

function blockedBy(stored: StoredSnapshot, breaker: BreakerSettings): readonly Block[] {
  const blocks = blocksOf(stored)
  const { state, trials, trialFreeInMs, rampForMs } = stored
  const ramp = rampBlock(rampForMs, breaker.recoveryRampMs)
  if (ramp !== undefined) return [...blocks, ramp]
  const { halfOpenMaxTrials: maxTrials } = breaker
  if (blocks.length > 0 || state !== 'half_open' || trials < maxTrials) return blocks
  const reason = `half-open: ${trials} of ${maxTrials} trials under way`
  return [{ code: 'no_trial_free', reason, retryAfterMs: askAgainInMs(trialFreeInMs) }]
}
