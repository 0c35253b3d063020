import type { ProbeSettings } from '../model/probe.js'

/**
 * Two probes of a provider begin at least this far apart in the whole fleet, ms; `intervalMs` is how
 * often it is probed now. The second half of an interval begins at the provider, not in Redis: what is above one half
 * allows for the way there. A failed call may bring a probe as soon as a suspicious provider's would come. That none
 * begins while another is under way is for the store.
 */
export const minGapMs = (probe: ProbeSettings, intervalMs: number): number =>
  Math.floor(Math.min(intervalMs, probe.suspiciousIntervalMs ?? intervalMs) * MIN_GAP_SHARE)

const MIN_GAP_SHARE = 0.6
