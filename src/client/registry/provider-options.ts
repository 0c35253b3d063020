import type { Consistency, OnRedisDown } from '../../config/options.js'
import type { Classify } from '../call/classify.js'

/** Options that are local to one process and one provider. */
export interface ProviderOptions {
  /** Overrides how calls are judged. */
  readonly classify?: Classify | undefined
  /** `cached` (default): closed and open circuits are judged locally. `strict`: every admission asks Redis. */
  readonly consistency?: Consistency | undefined
  /** How calls are decided while Redis does not answer; default what `connect` was given. */
  readonly onRedisDown?: OnRedisDown | undefined
  /** The `timeoutMs` of calls that name none, ms. 1 ms to 1 day, default: none. */
  readonly timeoutMs?: number | undefined
}

/** Options of a handle that names none. */
export interface ProviderDefaults {
  readonly consistency: Consistency
  readonly onRedisDown: OnRedisDown
}
