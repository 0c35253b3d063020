import { randomUUID } from 'node:crypto'
import type { Consistency } from '../../config/options.js'
import {
  BusbarClosedError,
  isBusbarError,
  isProviderTrouble,
  ProviderRemovedError,
} from '../../model/errors.js'
import type { AdmitRequest } from '../../model/ports/store-requests.js'
import type { RefusalCode } from '../../model/words.js'
import { admitLocally } from '../../rules/snapshot-admission.js'
import { CachedRefusal } from './cached-refusal.js'
import type { Fallback } from './fallback.js'
import { StoredPermit, told, type Decision, type Send } from './permit.js'
import { admitDoubtful } from './own-circuit.js'
import { leaseFor } from './lease.js'
import { GroupAdmission } from './group-admission.js'
import { RecoveryRamp } from './recovery-ramp.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'

/**
 * Decides whether a call may begin.
 *
 * In cached mode the closed and the open state are judged by the snapshot, without asking anybody. Half-open asks
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
    this.#together = new GroupAdmission(
      (timeoutMs) => this.#askIfThere(timeoutMs),
      ({ permit, wouldRefuse }) => this.#grant('', 'redis', wouldRefuse, permit.generation),
    )
  }

  /** Whether a call may begin without another look: cached, closed, and nothing in the way. */
  get free(): boolean {
    return this.#session.cache.free && this.consistency === 'cached'
  }

  /** `timeoutMs`: of the call, so that its lease outlives it. */
  admit(timeoutMs?: number): Decision | Promise<Decision> {
    this.#session.used = true
    if (this.#context.calls.closing) return Promise.reject(new BusbarClosedError())
    if (this.#session.withoutStore) return this.#withoutStore(timeoutMs)
    return this.#session.cache.free ? this.#admitFree(timeoutMs) : this.#admitWithCare(timeoutMs)
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
    this.#context.counters.admissionsWithoutRedis += 1
    const why = this.#context.watch.lost ? undefined : this.#session.cutOff
    return this.#fallback.decide(leaseFor(timeoutMs), why ?? 'Redis does not answer')
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
    const refused = this.#cachedRefusal.read(this.#asking)
    if (refused !== undefined) return enforce ? refused : this.#grant('', 'cache', refused.code)
    this.#asking = true
    return this.#askAndDraw(timeoutMs).finally(() => {
      this.#asking = false
    })
  }

  /** The store may have been lost since the caller came. */
  async #askIfThere(timeoutMs: number | undefined): Promise<Decision> {
    return this.#session.withoutStore ? this.#withoutStore(timeoutMs) : this.#ask(timeoutMs)
  }

  /** The answer may be the first that this process hears of a ramp. */
  async #askAndDraw(timeoutMs: number | undefined): Promise<Decision> {
    return this.#ramp.apply(await this.#ask(timeoutMs))
  }

  /** Asks the store, for as long as one command may take. A lease that comes later is given back. */
  #ask(timeoutMs: number | undefined): Promise<Decision> {
    const deadlines = this.#context.commandDeadlines ?? this.#context.deadlines
    return new Promise((resolve, reject) => {
      let waiting = true
      const deadline = deadlines.set(this.#context.commandTimeoutMs, () => {
        waiting = false
        const why = new Error(`no answer within ${this.#context.commandTimeoutMs} ms`)
        this.#context.watch.fail(why)
        resolve(this.#unanswered(timeoutMs, why.message))
      })
      const late = (decision: Decision) => {
        if (decision.admitted && decision.source === 'redis' && decision.permit.trial) {
          decision.permit.settle('ignored').catch(() => undefined)
        }
      }
      this.#askStore(timeoutMs).then(
        (decision) => {
          deadline.clear()
          if (waiting) resolve(decision)
          else late(decision)
        },
        (error: unknown) => {
          deadline.clear()
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })
  }

  #unanswered(timeoutMs: number | undefined, why: string): Decision {
    this.#context.counters.admissionsWithoutRedis += 1
    return this.#fallback.decide(leaseFor(timeoutMs), why)
  }

  /** Written out: strict mode comes here at every call. */
  #request(token: string, leaseMs: number): AdmitRequest {
    const { caller, notAfterMs, own } = this.#session
    return {
      worker: caller.worker,
      knownVersion: caller.knownVersion,
      origin: 'call',
      token,
      notAfterMs,
      leaseMs,
      minGapMs: 0,
      incarnation: own.incarnation,
      failureDomain: own.domain,
    }
  }

  async #askStore(timeoutMs: number | undefined): Promise<Decision> {
    const token = randomUUID()
    const leaseMs = leaseFor(timeoutMs)
    try {
      const reply = await this.#session.run('admit', (store) =>
        store.admit(this.#session.id, this.#request(token, leaseMs)),
      )
      const { reason, retryAfterMs, generation, trial } = reply
      // Only probes are turned away for coming too soon.
      const code = reply.code === null || reply.code === 'probed_recently' ? undefined : reply.code
      if (reply.admitted) {
        if (trial) this.#cachedRefusal.expectNoOther(leaseMs)
        return this.#grant(trial ? token : '', 'redis', code, generation)
      }
      const refused = {
        admitted: false,
        code: code ?? 'circuit_open',
        reason,
        retryAfterMs,
        source: 'redis',
      } as const
      if ((code === 'no_trial_free' || code === 'awaiting_probe') && retryAfterMs !== null)
        this.#cachedRefusal.keep(refused, retryAfterMs)
      return told(refused)
    } catch (error) {
      const unanswered = isBusbarError(error, 'redis_unavailable') || isBusbarError(error, 'command_late')
      if (!unanswered && !isProviderTrouble(error)) throw error
      return this.#unanswered(timeoutMs, error instanceof Error ? error.message : String(error))
    }
  }
}
