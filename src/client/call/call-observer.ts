import type { DecisionObservation } from '../../model/observations.js'
import type { Outcome } from '../../model/words.js'
import { TriedPermit } from '../admission/own-circuit.js'
import { StoredPermit, type Admitted, type Decision } from '../admission/permit.js'
import type { ProcessContext } from '../context.js'
import type { Meters } from '../shared/meters.js'
import type { PlainCount, ProviderMeter } from '../shared/provider-meter.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { UNTIMED, type Judged } from './call.js'

/**
 * Tells the observers of a process of the calls of one provider. Its callers ask `Observers` first whether anybody listens,
 * so that no call pays for this otherwise.
 */
export class CallObserver {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #judge: PlainCount
  /** The same object for every call that a closed circuit admits. */
  readonly #admitted: DecisionObservation
  #meters: Meters | undefined
  #meter: ProviderMeter | undefined

  constructor(context: ProcessContext, session: ProviderSession, judge: PlainCount) {
    this.#judge = judge
    this.#context = context
    this.#session = session
    const decided = { admitted: true, source: 'cache', code: null, wouldRefuse: null } as const
    this.#admitted = Object.freeze({ provider: session.id, ...decided })
  }

  /** A call that a closed circuit admitted on the spot begins. */
  begin(call: Judged): void {
    const { observers, clock } = this.#context
    const { meters } = observers
    const weight = meters === undefined ? 0 : this.#meterIn(meters).begin(call.mark)
    if (observers.decisions) observers.emitDecision(this.#admitted)
    if (!observers.outcomes && weight === 0) return
    call.weight = weight
    call.began = clock.now()
  }

  /** Such a call ended. */
  end(outcome: Outcome, call: Judged): void {
    const { meters } = this.#context.observers
    if (meters !== undefined) this.#meterIn(meters).ended(outcome)
    if (call.began !== UNTIMED) this.endTimed(outcome, call)
  }

  /** The same of a call that is timed, and whose outcome was counted. */
  endTimed(outcome: Outcome, call: Judged): void {
    const { observers, clock } = this.#context
    const { began, weight } = call
    // Contexts of calls that have ended serve others.
    call.began = UNTIMED
    const now = clock.now()
    if (observers.meters !== undefined && weight > 0)
      this.#meterIn(observers.meters).took(outcome, now - began, weight)
    if (observers.outcomes) this.#emit(outcome, began, now)
  }

  #meterIn(meters: Meters): ProviderMeter {
    if (this.#meter !== undefined && this.#meters === meters) return this.#meter
    this.#meters = meters
    this.#meter = meters.of(this.#session)
    this.#meter.countPlain(this.#judge)
    return this.#meter
  }

  /** The same decision; of an admitted call the observers are told the outcome too, once it is settled. */
  decided(answer: Decision | Promise<Decision>): Decision | Promise<Decision> {
    return answer instanceof Promise
      ? answer.then((decision) => this.#decided(decision))
      : this.#decided(answer)
  }

  /** An outcome that came without a call of ours: how long it took is not known. */
  recorded(outcome: Outcome): void {
    const { observers, clock } = this.#context
    observers.meters?.of(this.#session).ended(outcome)
    if (observers.outcomes) this.#emit(outcome, UNTIMED, clock.now())
  }

  #decided(decision: Decision): Decision {
    const { observers } = this.#context
    if (observers.meters !== undefined) this.#count(this.#meterIn(observers.meters), decision)
    if (observers.decisions) observers.emitDecision(this.#observationOf(decision))
    if (decision.admitted && (observers.outcomes || observers.meters !== undefined))
      this.#followPermit(decision)
    return decision
  }

  #count(meter: ProviderMeter, decision: Decision): void {
    meter.decided(decision.source, decision.admitted)
    if (!decision.admitted) meter.refusals.add(decision.code)
    else if (decision.wouldRefuse !== undefined) meter.wouldRefuse.add(decision.wouldRefuse)
  }

  #followPermit({ permit }: Admitted): void {
    if (!(permit instanceof StoredPermit || permit instanceof TriedPermit)) return
    const began = this.#context.clock.now()
    permit.onSettled = (outcome) => this.#settled(outcome, began)
  }

  #settled(outcome: Outcome, began: number): void {
    const { observers, clock } = this.#context
    const now = clock.now()
    if (observers.meters !== undefined) {
      const meter = this.#meterIn(observers.meters)
      meter.ended(outcome)
      meter.took(outcome, now - began, 1)
    }
    if (observers.outcomes) this.#emit(outcome, began, now)
  }

  #observationOf(decision: Decision): DecisionObservation {
    const { admitted, source } = decision
    const code = decision.admitted ? null : decision.code
    const wouldRefuse = decision.admitted ? (decision.wouldRefuse ?? null) : null
    return { provider: this.#session.id, admitted, source, code, wouldRefuse }
  }

  #emit(outcome: Outcome, began: number, now: number): void {
    const { observers } = this.#context
    // To the microsecond: more digits are noise, and a trace is full of them.
    const ms = began === UNTIMED ? 0 : Math.round((now - began) * 1_000) / 1_000
    const { worker, domain } = observers
    const at = this.#session.storeClock.at(now)
    // Written out, and no field more: its JSON is a line of a trace.
    observers.emitOutcome({ at, provider: this.#session.id, outcome, ms, domain, worker, origin: 'call' })
  }
}
