import { ageSnapshot, presentSnapshot } from '../../client/sync/snapshot.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { ProviderView } from '../../view/provider-view.js'
import type { FleetState, Received } from './fleet-state.js'

/** The clock of Redis, as far as this page knows. */
export type RedisClock = Pick<FleetState, 'clockAheadMs' | 'readAt'>

/**
 * A provider as it is at `now`, ms since 1970 on the clock of the browser: times have run on since it was told, and a
 * cooldown may be over. By the functions by which every worker does it.
 */
export function viewAt(received: Received, now: number, { clockAheadMs, readAt }: RedisClock): ProviderView {
  const { settings, settingsOrigin: origin, settingsProblems: problems } = received
  const elapsedMs = Math.max(0, now + clockAheadMs - received.at)
  const aged = inSeconds(ageSnapshot(received, elapsedMs))
  const snapshot = presentSnapshot(aged, { settings }, 'redis', readAt + clockAheadMs)
  return { snapshot, settings, origin, problems }
}

/** Times ahead in whole seconds: they are shown once a second. */
function inSeconds(stored: StoredSnapshot): StoredSnapshot {
  const { retryAfterMs, markForMs, throttledForMs, trialFreeInMs } = stored
  return {
    ...stored,
    retryAfterMs: retryAfterMs === null ? null : up(retryAfterMs),
    markForMs: markForMs === null ? null : up(markForMs),
    throttledForMs: up(throttledForMs),
    trialFreeInMs: up(trialFreeInMs),
  }
}

const up = (ms: number): number => Math.ceil(ms / 1_000) * 1_000
