import type { ProbeSettings } from '../model/probe.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { Mark } from '../model/words.js'

/** Whether a mark ends the loop of the probes. */
export const endsProbes = (mark: Mark | null): boolean => mark !== null && mark !== 'degraded'

type Intervals = Pick<ProbeSettings, 'intervalMs' | 'suspiciousIntervalMs' | 'downIntervalMs'>

/** The part of a snapshot that the interval depends on. */
export type Condition = Pick<StoredSnapshot, 'state' | 'lastProbeStatus' | 'probeConsecutiveFailures'>

/** How often the provider is to be probed as it is now, ms: less often while open, more often while it is suspicious. */
export function intervalNow(probe: Intervals, condition: Condition): number {
  const { intervalMs, suspiciousIntervalMs = intervalMs, downIntervalMs = intervalMs } = probe
  if (condition.state === 'open') return downIntervalMs
  return isClear(condition) ? intervalMs : suspiciousIntervalMs
}

const isClear = ({ state, lastProbeStatus, probeConsecutiveFailures }: Condition): boolean =>
  state === 'closed' &&
  probeConsecutiveFailures === 0 &&
  (lastProbeStatus === null || lastProbeStatus === 'healthy' || lastProbeStatus === 'degraded')

/** A provider is stale after this many intervals without a result. */
const STALE_INTERVALS = 3

/**
 * The silence of the probes from which on a result is overdue, ms: three intervals of now. If a transition has just made
 * the interval shorter, the three intervals count from the transition, because the next probe is still planned by the
 * longer one. A circuit that opens and closes again and again would hide a silence so; three of the longest interval
 * are therefore always too long.
 */
export function overdueAfterMs(
  probe: Intervals,
  snapshot: Condition & Pick<StoredSnapshot, 'stateSince' | 'probeAwaitedSince'>,
): number {
  const { intervalMs, suspiciousIntervalMs = intervalMs, downIntervalMs = intervalMs } = probe
  const staleMs = STALE_INTERVALS * intervalNow(probe, snapshot)
  const longestMs = STALE_INTERVALS * Math.max(intervalMs, suspiciousIntervalMs, downIntervalMs)
  const sinceTransitionMs = snapshot.stateSince - snapshot.probeAwaitedSince + staleMs
  return Math.max(staleMs, Math.min(longestMs, sinceTransitionMs))
}

/** Whether a provider that is to be probed has had no result for too long, by the clock of its store. */
export const isStale = (
  probe: Intervals,
  snapshot: Condition & Pick<StoredSnapshot, 'stateSince' | 'probeAwaitedSince'>,
  atMs: number,
): boolean => atMs - snapshot.probeAwaitedSince >= overdueAfterMs(probe, snapshot)
