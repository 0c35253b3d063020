import type { ProbeSettings } from '../model/probe.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { Mark } from '../model/words.js'

/** Whether a mark ends the loop of the probes. */
export const endsProbes = (mark: Mark | null): boolean => mark !== null && mark !== 'degraded'

type Intervals = Pick<ProbeSettings, 'intervalMs' | 'suspiciousIntervalMs' | 'downIntervalMs'>

/** What the pace of a provider's probes depends on. */
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

/** As many intervals without a result are too many. */
const PATIENCE = 3

/**
 * The silence of the probes from which on a result is overdue, ms: three intervals of now. Where a transition made the
 * pace quicker than it was, the next probe has its time from then on; but a circuit that opens and closes again and
 * again hides no silence: three of the longest interval are always too long.
 */
export function overdueAfterMs(
  probe: Intervals,
  snapshot: Condition & Pick<StoredSnapshot, 'stateSince' | 'probeAwaitedSince'>,
): number {
  const { intervalMs, suspiciousIntervalMs = intervalMs, downIntervalMs = intervalMs } = probe
  const patienceMs = PATIENCE * intervalNow(probe, snapshot)
  const longestMs = PATIENCE * Math.max(intervalMs, suspiciousIntervalMs, downIntervalMs)
  const sinceTransitionMs = snapshot.stateSince - snapshot.probeAwaitedSince + patienceMs
  return Math.max(patienceMs, Math.min(longestMs, sinceTransitionMs))
}

/** Whether a provider that is to be probed has had no result for too long, by the clock of its store. */
export const isStale = (
  probe: Intervals,
  snapshot: Condition & Pick<StoredSnapshot, 'stateSince' | 'probeAwaitedSince'>,
  atMs: number,
): boolean => atMs - snapshot.probeAwaitedSince >= overdueAfterMs(probe, snapshot)
