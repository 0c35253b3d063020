import { randomUUID } from 'node:crypto'
import { isBusbarError, isProviderTrouble } from '../../model/errors.js'
import type { AdmitRequest } from '../../model/ports/store-requests.js'
import type { RefusalCode } from '../../model/words.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { CachedRefusal } from './cached-refusal.js'
import { leaseFor } from './lease.js'
import { told, type Decision } from './permit.js'

/** The decisions that the answer of the store, or its silence, leads to. */
export interface StoreAnswers {
  /** `token`: of the lease; empty where there is none. */
  readonly grant: (token: string, wouldRefuse: RefusalCode | undefined, generation: number) => Decision
  /** The store did not answer in time; `why` says so in words. */
  readonly unanswered: (timeoutMs: number | undefined, why: string) => Decision
  readonly cachedRefusal: CachedRefusal
}

/** Asks the store whether one call may begin, and waits no longer than one command may take. */
export class StoreAdmission {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #answers: StoreAnswers

  constructor(context: ProcessContext, session: ProviderSession, answers: StoreAnswers) {
    this.#context = context
    this.#session = session
    this.#answers = answers
  }

  /** Asks the store, for as long as one command may take. A lease that comes later is given back. */
  ask(timeoutMs: number | undefined): Promise<Decision> {
    const deadlines = this.#context.commandDeadlines ?? this.#context.deadlines
    return new Promise((resolve, reject) => {
      let waiting = true
      const deadline = deadlines.set(this.#context.commandTimeoutMs, () => {
        waiting = false
        const why = new Error(`no answer within ${this.#context.commandTimeoutMs} ms`)
        this.#context.watch.fail(why)
        resolve(this.#answers.unanswered(timeoutMs, why.message))
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
        if (trial) this.#answers.cachedRefusal.expectNoOther(leaseMs)
        return this.#answers.grant(trial ? token : '', code, generation)
      }
      const refused = {
        admitted: false,
        code: code ?? 'circuit_open',
        reason,
        retryAfterMs,
        source: 'redis',
      } as const
      if ((code === 'no_trial_free' || code === 'awaiting_probe') && retryAfterMs !== null)
        this.#answers.cachedRefusal.keep(refused, retryAfterMs)
      return told(refused)
    } catch (error) {
      const unanswered = isBusbarError(error, 'redis_unavailable') || isBusbarError(error, 'command_late')
      if (!unanswered && !isProviderTrouble(error)) throw error
      return this.#answers.unanswered(timeoutMs, error instanceof Error ? error.message : String(error))
    }
  }
}
