import type { Schedule } from '../model/ports/schedule.js'
import type { Store } from '../model/ports/store.js'
import type { CallsUnderWay } from './call/calls-under-way.js'
import type { Deadlines } from './shared/deadlines.js'
import type { Counters, Logger } from './shared/log.js'
import type { StoreWatch } from './outage/store-watch.js'
import type { ProcessTime } from './shared/time.js'

/** What all handles of one process share. */
export interface ProcessContext extends ProcessTime {
  /** Asked through `watch`. */
  readonly store: Store
  readonly watch: StoreWatch
  /** Name of this process; the same after a restart, if the user says so. */
  readonly worker: string
  /** What fails together with this process, for a quorum. */
  readonly failureDomain: string
  /** Random name of this life of the process. */
  readonly incarnation: string
  readonly log: Logger
  readonly counters: Counters
  readonly commandTimeoutMs: number
  /** How long good news may wait, ms. */
  readonly flushIntervalMs: number
  /** What one provider may cost its store, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
  /** The end of a mark is announced up to so much later, ms, so that not all processes do it at once. */
  readonly markJitterMs: number
  /** Whether the process may end while connected. */
  readonly unref: boolean
  /** Of calls. */
  readonly deadlines: Pick<Deadlines, 'set'>
  /** Of commands to the store, where those of calls do not fit them. */
  readonly commandDeadlines?: Pick<Deadlines, 'set'>
  readonly calls: CallsUnderWay
  /** Asked through `watch`. Undefined where nothing can be probed. */
  readonly schedule: Schedule | undefined
  closed: boolean
}
