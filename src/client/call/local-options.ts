import type { Consistency, OnRedisDown } from '../../config/options.js'
import type { Classify } from './classify.js'

/** Options of calls that are local to one process. */
export interface LocalOptions {
  readonly classify?: Classify | undefined
  readonly consistency: Consistency
  readonly onRedisDown: OnRedisDown
  readonly timeoutMs?: number | undefined
}
