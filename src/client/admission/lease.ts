/** A lease outlives its call's timeout by this much, so that the result finds it. */
const LEASE_MARGIN_MS = 1_000

/** How long the lease of a call is to last, ms; 0: as long as the settings say. */
export const leaseFor = (timeoutMs: number | undefined): number =>
  timeoutMs === undefined ? 0 : Math.ceil(timeoutMs) + LEASE_MARGIN_MS
