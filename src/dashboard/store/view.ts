import { ageSnapshot, presentSnapshot } from '../../client/sync/snapshot.js'
import type { ProviderView } from '../../view/provider-view.js'
import type { FleetState, Received } from './fleet-state.js'

/** The clock of Redis, as far as this page knows. */
export type RedisClock = Pick<FleetState, 'clockAheadMs' | 'readAt'>

/**
 * A provider as it is at `now`, ms since 1970 on the clock of the browser: times have run on since it was told, and a
 * cooldown may be over. By the functions by which every worker does it. Whole seconds, so that the text of a second is one.
 */
export function viewAt(received: Received, now: number, { clockAheadMs, readAt }: RedisClock): ProviderView {
  const { settings, settingsOrigin: origin, settingsProblems: problems } = received
  const elapsedMs = Math.max(0, now + clockAheadMs - received.at)
  const aged = ageSnapshot(received, elapsedMs)
  const snapshot = presentSnapshot(aged, { settings }, 'redis', readAt + clockAheadMs)
  return { snapshot, settings, origin, problems }
}
