import type { ProbeSettings } from '../model/probe.js'
import type { StoredSnapshot } from '../model/snapshot.js'

/** What the pace of a provider's probes depends on. */
export type Condition = Pick<StoredSnapshot, 'state' | 'lastProbeStatus' | 'probeConsecutiveFailures'>

/** How often the provider is to be probed as it is now, ms: less often while open, more often while it is suspicious. */
export function intervalNow(probe: ProbeSettings, condition: Condition): number {
  const { intervalMs, suspiciousIntervalMs = intervalMs, downIntervalMs = intervalMs } = probe
  if (condition.state === 'open') return downIntervalMs
  return isClear(condition) ? intervalMs : suspiciousIntervalMs
}

const isClear = ({ state, lastProbeStatus, probeConsecutiveFailures }: Condition): boolean =>
  state === 'closed' &&
  probeConsecutiveFailures === 0 &&
  (lastProbeStatus === null || lastProbeStatus === 'healthy' || lastProbeStatus === 'degraded')

/**
 * Two probes of a provider begin at least this far apart, in the whole fleet, whoever else tries, ms; `intervalMs` is how
 * often it is probed now. The second half of an interval begins at the provider, not in Redis: what is above one half
 * allows for the way there. A failed call may bring a probe as soon as a suspicious provider's would come. That none
 * begins while another is under way is for the store.
 */
export const minGapMs = (probe: ProbeSettings, intervalMs: number): number =>
  Math.floor(Math.min(intervalMs, probe.suspiciousIntervalMs ?? intervalMs) * MIN_GAP_SHARE)

const MIN_GAP_SHARE = 0.6
