import type { Consistency } from '../../config/options.js'
import { BusbarClosedError, ProviderRemovedError } from '../../model/errors.js'
import type { RefusalCode } from '../../model/words.js'
import { admitLocally } from '../../rules/snapshot-admission.js'
import { CachedRefusal } from './cached-refusal.js'
import type { Fallback } from './fallback.js'
import { viewGate, type GateView, type OutlookParts } from './outlook.js'
import { StoredPermit, type Decision, type Refused, type Send } from './permit.js'
import { admitDoubtful } from './own-circuit.js'
import { leaseFor } from './lease.js'
import { GroupAdmission } from './group-admission.js'
import { RecoveryRamp } from './recovery-ramp.js'
import { StoreAdmission } from './store-admission.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { USED } from '../sync/use.js'

/**
 * Decides whether a call may begin.
 *
 * In cached mode the closed and the open state are judged by the snapshot, without a command to Redis. Half-open asks
 * the store for a lease, one request at a time: while it is under way the process's other callers are refused, and
 * a refusal is kept until the first lease can end, or something newer is known. In strict mode, and whenever the
 * snapshot may be old, every admission asks; strict ones of one turn ask together while the circuit is closed, as far as
 * this process knows (`GroupAdmission`).
 *
 * During the ramp after a closing, the calls that would begin are drawn for here, once each (`RecoveryRamp`).
 *
 * No admission waits longer than one command may take, or two where another of its group was given a lease: then, and for
 * as long as the store is lost or the provider is cut off, `Fallback` decides.
 */
export class AdmissionGate {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #fallback: Fallback
  readonly #send: Send
  readonly #together: GroupAdmission
  readonly #ramp: RecoveryRamp
  readonly #store: StoreAdmission
  readonly #outlook: OutlookParts
  consistency: Consistency = 'cached'
  #asking = false
  readonly #cachedRefusal: CachedRefusal

  constructor(context: ProcessContext, session: ProviderSession, fallback: Fallback, send: Send) {
    this.#context = context
    this.#session = session
    this.#fallback = fallback
    this.#send = send
    this.#ramp = new RecoveryRamp(session)
    this.#cachedRefusal = new CachedRefusal(context, session)
    this.#outlook = { session, fallback, refusedMeanwhile: () => this.#refusedMeanwhile() }
    this.#store = new StoreAdmission(context, session, {
      grant: (token, wouldRefuse, generation) => this.#grant(token, 'redis', wouldRefuse, generation),
      unanswered: (timeoutMs, why) => this.#decideWithoutStore(timeoutMs, why),
      cachedRefusal: this.#cachedRefusal,
    })
    this.#together = new GroupAdmission(
      (timeoutMs) => this.#askIfThere(timeoutMs),
      ({ permit, wouldRefuse }) => this.#grant('', 'redis', wouldRefuse, permit.generation),
    )
  }

  /** Whether a call may begin without another look: cached, closed, and nothing in the way. */
  get free(): boolean {
    return this.#session.cache.free && this.consistency === 'cached'
  }

  /** As far as this process knows without asking, whether a call would be admitted. */
  view(): GateView {
    return viewGate(this.#outlook)
  }

  /** `timeoutMs`: of the call, so that its lease outlives it. */
  admit(timeoutMs?: number): Decision | Promise<Decision> {
    this.#session.used = USED
    if (this.#context.calls.closing) return Promise.reject(new BusbarClosedError())
    if (this.#session.withoutStore) return this.#withoutStore(timeoutMs)
    return this.#session.cache.free ? this.#admitFree(timeoutMs) : this.#admitWithCare(timeoutMs)
  }

  /** As `admit`, for a member of a group: where the ramp is known, the group's order has drawn its share already. */
  admitMember(timeoutMs?: number): Decision | Promise<Decision> {
    const { cache, own, withoutStore } = this.#session
    if (!cache.ramping || own.doubtful || withoutStore || this.#context.calls.closing)
      return this.admit(timeoutMs)
    this.#session.used = USED
    return this.#admitFree(timeoutMs)
  }

  /** Half-open: why no trial is worth asking for now, as far as this process knows. Asks nothing of the store. */
  #refusedMeanwhile(): Refused | undefined {
    return this.#cachedRefusal.read(this.#asking)
  }

  #admitFree(timeoutMs: number | undefined): Decision | Promise<Decision> {
    return this.consistency === 'strict' ? this.#together.admit(timeoutMs) : this.#grant('', 'cache')
  }

  /** Anything but a closed circuit that is known to be free. Apart, so that the way of nearly every call stays small. */
  #admitWithCare(timeoutMs: number | undefined): Decision | Promise<Decision> {
    const { own } = this.#session
    return own.doubtful
      ? admitDoubtful(this.#session, () => this.#decide(timeoutMs))
      : this.#decide(timeoutMs)
  }

  #decide(timeoutMs: number | undefined): Decision | Promise<Decision> {
    const { cache } = this.#session
    // A doubt may just have ended.
    if (cache.free) return this.#admitFree(timeoutMs)
    if (cache.ramping) {
      const drawn = this.#ramp.apply(this.#grant('', 'cache'))
      return this.consistency === 'strict' && drawn.admitted ? this.#together.admit(timeoutMs) : drawn
    }
    if (this.consistency === 'strict' || !cache.decides) return this.#askAndDraw(timeoutMs)
    const snapshot = cache.readBlocking()
    if (snapshot === undefined) return this.#askAndDraw(timeoutMs)
    const local = admitLocally(snapshot)
    switch (local.decide) {
      case 'admit':
        return this.#ramp.apply(this.#grant('', 'cache', local.wouldRefuse))
      case 'refuse': {
        const { code, reason, retryAfterMs } = local
        return { admitted: false, code, reason, retryAfterMs, source: 'cache' }
      }
      case 'ask':
        return this.#tryForTrial(snapshot.enforce, timeoutMs)
      default:
        return local satisfies never
    }
  }

  #withoutStore(timeoutMs: number | undefined): Decision | Promise<Decision> {
    if (this.#session.removed) return Promise.reject(new ProviderRemovedError(this.#session.id))
    const why = this.#context.watch.lost ? undefined : this.#session.cutOff
    return this.#decideWithoutStore(timeoutMs, why ?? 'Redis does not answer')
  }

  #decideWithoutStore(timeoutMs: number | undefined, why: string): Decision {
    this.#context.counters.admissionsWithoutRedis += 1
    return this.#fallback.decide(leaseFor(timeoutMs), why)
  }

  #grant(token: string, source: 'cache' | 'redis', wouldRefuse?: RefusalCode, generation?: number): Decision {
    const known = generation ?? this.#session.cache.generation
    const permit = token === '' ? new StoredPermit(known, '', this.#send) : this.#holdTrial(known, token)
    if (wouldRefuse === undefined) return { admitted: true, permit, source }
    return { admitted: true, permit, source, wouldRefuse }
  }

  /** Its lease goes back when this process closes first. */
  #holdTrial(generation: number, token: string): StoredPermit {
    const { calls } = this.#context
    const permit = new StoredPermit(generation, token, (ending, ...of) => {
      calls.settled(permit)
      return this.#send(ending, ...of)
    })
    calls.hold(permit)
    return permit
  }

  #tryForTrial(enforce: boolean, timeoutMs: number | undefined): Decision | Promise<Decision> {
    const refused = this.#refusedMeanwhile()
    if (refused !== undefined) return enforce ? refused : this.#grant('', 'cache', refused.code)
    this.#asking = true
    return this.#askAndDraw(timeoutMs).finally(() => {
      this.#asking = false
    })
  }

  /** The store may have been lost since the caller came. */
  async #askIfThere(timeoutMs: number | undefined): Promise<Decision> {
    return this.#session.withoutStore ? this.#withoutStore(timeoutMs) : this.#store.ask(timeoutMs)
  }

  /** The answer may be the first that this process hears of a ramp. */
  async #askAndDraw(timeoutMs: number | undefined): Promise<Decision> {
    return this.#ramp.apply(await this.#store.ask(timeoutMs))
  }
}
