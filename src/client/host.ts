import type { Clock, Schedule, Store } from '../model/ports.js'
import type { Deadlines } from './deadlines.js'
import type { Counters, Logger } from './log.js'
import type { StoreWatch } from './store-watch.js'

/** What all handles of one process share. */
export interface Host {
  /** Asked through `watch`. */
  readonly store: Store
  readonly watch: StoreWatch
  /** Name of this process; the same after a restart, if the user says so. */
  readonly worker: string
  /** Random name of this life of the process. */
  readonly incarnation: string
  readonly clock: Clock
  readonly log: Logger
  readonly counters: Counters
  readonly commandTimeoutMs: number
  /** How long good news may wait, ms. */
  readonly flushIntervalMs: number
  /** What one provider may cost its store, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
  /** Whether the process may end while connected. */
  readonly unref: boolean
  readonly deadlines: Deadlines
  /** Asked through `watch`. Undefined where nothing can be probed. */
  readonly schedule: Schedule | undefined
  closed: boolean
}
