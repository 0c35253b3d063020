import { randomUUID } from 'node:crypto'
import type { OnRedisDown } from '../../config/options.js'
import type { Run } from '../../model/ports/store-requests.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { RefusalCode } from '../../model/words.js'
import { askAgainInMs, blocksOf, isMark, type Block } from '../../rules/blocks.js'
import { callRun, StoredPermit, type Decision } from './permit.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { LocalCircuit } from '../outage/local-circuit.js'

/** Where the outcome of a call goes that was admitted without the store; `local`: the circuit that admitted it. */
export type SendFallback = (run: Run, local: LocalCircuit | undefined) => Promise<void>

/**
 * Decides calls of one provider while the store does not answer. It waits for no other process, and every answer says `fallback`.
 *
 * - `local`: the rules, in this process alone, from what was known last; see `LocalCircuit`.
 * - `allow`: every call is admitted but those that an operator's mark refuses. Circuit and pauses do not count.
 * - `deny`: every call is refused with `redis_down`; with `enforce: false` it is admitted, and says so.
 *
 * Its knowledge is one outage old at most: another outage, or news of the store meanwhile, replaces it.
 */
export class Fallback {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #send: SendFallback
  mode: OnRedisDown
  #local: LocalCircuit | undefined
  #begun = { outage: 0, version: 0 }

  constructor(context: ProcessContext, session: ProviderSession, mode: OnRedisDown, send: SendFallback) {
    this.#context = context
    this.#session = session
    this.mode = mode
    this.#send = send
  }

  /** `timeoutMs`: of the call, so that its lease outlives it. `why`: what the store's failure was, in words. */
  decide(leaseMs: number, why: string): Decision {
    switch (this.mode) {
      case 'local':
        return this.#decideLocally(leaseMs)
      case 'allow':
        return this.#allow()
      case 'deny':
        return this.#session.settings.settings.breaker.enforce
          ? refused('redis_down', why, null)
          : this.#grant('redis_down')
      default:
        return this.mode satisfies never
    }
  }

  /** An outcome of a call: it moves the local circuit, if that is what decides, and `local` is none of another outage. */
  judge(run: Run, local = this.#current()): void {
    if (this.mode !== 'local' || local !== this.#current()) return
    local.record(run, this.#context.clock.now(), this.#session.settings.settings)
  }

  /** The generation of an outcome that comes without a permit. */
  get generation(): number {
    return this.#current().generation
  }

  /** The provider as this process judges it now; undefined where it judges nothing and knows nothing. */
  snapshot(): StoredSnapshot | undefined {
    if (this.mode !== 'local') return this.#session.cache.read()
    return this.#current().snapshot(
      this.#session.id,
      this.#context.clock.now(),
      this.#session.settings.settings,
    )
  }

  #current(): LocalCircuit {
    const { outages: outage } = this.#session
    const { version } = this.#session.cache
    if (this.#local === undefined || this.#begun.outage !== outage || this.#begun.version !== version) {
      const { settings } = this.#session.settings
      this.#local = new LocalCircuit(this.#session.cache.read(), settings, this.#context.clock.now())
      this.#begun = { outage, version }
    }
    return this.#local
  }

  #decideLocally(leaseMs: number): Decision {
    const local = this.#current()
    const token = randomUUID()
    const { settings } = this.#session.settings
    const { admitted, code, reason, retryAfterMs, trial, generation } = local.admit(
      this.#context.clock.now(),
      settings,
      token,
      leaseMs,
    )
    // Only probes are turned away for coming too soon.
    const known = code === 'probed_recently' ? null : code
    if (!admitted && code === 'no_trial_free' && retryAfterMs !== null)
      return refused(code, reason, askAgainInMs(retryAfterMs))
    if (!admitted) return refused(known ?? 'circuit_open', reason, retryAfterMs)
    return this.#grant(known, generation, trial ? token : '', local)
  }

  #allow(): Decision {
    const snapshot = this.#session.cache.read()
    const mark = snapshot === undefined ? undefined : markOf(snapshot)
    if (mark === undefined) return this.#grant(null)
    if (snapshot?.enforce === false) return this.#grant(mark.code)
    return refused(mark.code, mark.reason, mark.retryAfterMs)
  }

  #grant(wouldRefuse: RefusalCode | null, generation = 0, token = '', local?: LocalCircuit): Decision {
    const permit = new StoredPermit(generation, token, (ending) =>
      this.#send(callRun(ending, generation, token), local),
    )
    return { admitted: true, permit, source: 'fallback', ...(wouldRefuse === null ? {} : { wouldRefuse }) }
  }
}

/** The mark of an operator that refuses calls; undefined where there is none. */
export const markOf = (snapshot: StoredSnapshot): Block | undefined => blocksOf(snapshot).find(isMark)

const refused = (code: RefusalCode, reason: string, retryAfterMs: number | null): Decision => ({
  admitted: false,
  code,
  reason,
  retryAfterMs,
  source: 'fallback',
})
