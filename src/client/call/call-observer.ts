import type { DecisionObservation } from '../../model/observations.js'
import type { Outcome } from '../../model/words.js'
import { TriedPermit } from '../admission/own-circuit.js'
import { StoredPermit, type Admitted, type Decision } from '../admission/permit.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { UNTIMED, type Judged } from './call.js'

/**
 * Tells the observers of a process of the calls of one provider. Its callers ask `Observers` first whether anybody listens,
 * so that no call pays for this otherwise.
 */
export class CallObserver {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  /** The same object for every call that a closed circuit admits. */
  readonly #admitted: DecisionObservation

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
    const decided = { admitted: true, source: 'cache', code: null, wouldRefuse: null } as const
    this.#admitted = Object.freeze({ provider: session.id, ...decided })
  }

  /** A call that a closed circuit admitted on the spot begins. */
  begin(call: Judged): void {
    const { observers, clock } = this.#context
    if (observers.decisions) observers.emitDecision(this.#admitted)
    if (observers.outcomes) call.began = clock.now()
  }

  /** Such a call ended. */
  end(outcome: Outcome, call: Judged): void {
    const { began } = call
    // Contexts of calls that have ended serve others.
    call.began = UNTIMED
    this.#emit(outcome, began)
  }

  /** The same decision; of an admitted call the observers are told the outcome too, once it is settled. */
  decided(answer: Decision | Promise<Decision>): Decision | Promise<Decision> {
    return answer instanceof Promise
      ? answer.then((decision) => this.#decided(decision))
      : this.#decided(answer)
  }

  /** An outcome that came without a call of ours: how long it took is not known. */
  recorded(outcome: Outcome): void {
    this.#emit(outcome, UNTIMED)
  }

  #decided(decision: Decision): Decision {
    const { observers } = this.#context
    if (observers.decisions) observers.emitDecision(this.#observationOf(decision))
    if (observers.outcomes && decision.admitted) this.#followPermit(decision)
    return decision
  }

  #followPermit({ permit }: Admitted): void {
    if (!(permit instanceof StoredPermit || permit instanceof TriedPermit)) return
    const began = this.#context.clock.now()
    permit.onSettled = (outcome) => this.#emit(outcome, began)
  }

  #observationOf(decision: Decision): DecisionObservation {
    const { admitted, source } = decision
    const code = decision.admitted ? null : decision.code
    const wouldRefuse = decision.admitted ? (decision.wouldRefuse ?? null) : null
    return { provider: this.#session.id, admitted, source, code, wouldRefuse }
  }

  #emit(outcome: Outcome, began: number): void {
    const { observers, clock } = this.#context
    const now = clock.now()
    // To the microsecond: more digits are noise, and a trace is full of them.
    const ms = began === UNTIMED ? 0 : Math.round((now - began) * 1_000) / 1_000
    const { worker, domain } = observers
    const at = this.#session.storeClock.at(now)
    // Written out, and no field more: its JSON is a line of a trace.
    observers.emitOutcome({ at, provider: this.#session.id, outcome, ms, domain, worker, origin: 'call' })
  }
}
