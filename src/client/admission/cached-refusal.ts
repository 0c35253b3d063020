import { askAgainInMs } from '../../rules/blocks.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { told, type Refused } from './permit.js'

/**
 * The refusal that a process has for its callers while a half-open circuit has no trial for it: one request at a time asks the
 * store, and its answer is kept until the first lease can end, or something newer is known.
 */
export class CachedRefusal {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  #kept: { readonly refused: Refused; readonly version: number; readonly until: number } | undefined

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
  }

  /** Undefined: the store may be asked. `asking`: a request is under way. */
  read(asking: boolean): Refused | undefined {
    if (asking) {
      const reason = 'half-open: this process is asking for a trial'
      const retryAfterMs = askAgainInMs(Math.ceil(this.#context.commandTimeoutMs))
      return { admitted: false, code: 'no_trial_free', reason, retryAfterMs, source: 'cache' }
    }
    const kept = this.#kept
    const leftMs = kept === undefined ? 0 : Math.ceil(kept.until - this.#context.clock.now())
    if (kept === undefined || leftMs <= 0 || kept.version !== this.#session.cache.version) return undefined
    return told({ ...kept.refused, retryAfterMs: leftMs, source: 'cache' })
  }

  keep(refused: Refused, forMs: number): void {
    const { version } = this.#session.cache
    this.#kept = { refused, version, until: this.#context.clock.now() + forMs }
  }

  /** Where the fleet has one trial at a time and this process holds it, asking again is of no use until it ends. */
  expectNoOther(leaseMs: number): void {
    const { halfOpenMaxTrials, trialLeaseMs } = this.#session.settings.settings.breaker
    if (halfOpenMaxTrials !== 1) return
    const reason = 'half-open: 1 of 1 trials under way'
    const retryAfterMs = leaseMs === 0 ? trialLeaseMs : leaseMs
    this.keep({ admitted: false, code: 'no_trial_free', reason, retryAfterMs, source: 'cache' }, retryAfterMs)
  }
}
