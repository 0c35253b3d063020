import type { Snapshot } from '../client/sync/snapshot.js'
import type { Settings } from '../model/settings.js'

/** One provider as a process knows it. */
export interface ProviderReading {
  readonly id: string
  readonly snapshot: Snapshot
  readonly settings: Settings
  /** Whether it was read from the store just now. What is not announced, such as a silence of the probes, is known only then. */
  readonly fresh: boolean
}
