import type { Run } from '../model/ports/store-requests.js'
import type { Origin, Outcome } from '../model/words.js'
import { rampShare } from '../rules/ramp.js'
import { SUSPECT_AT } from '../rules/suspicion.js'
import type { EventQueue } from './event-queue.js'
import { SimulatedDoubt } from './simulated-doubt.js'
import { SimulatedOutbox, WAY_MS } from './simulated-outbox.js'
import type { Known, SimulatedStore } from './simulated-store.js'
import type { Tally, Wanted } from './tally.js'

/** A call that a worker wants to make, and how it would end. */
export interface WantedCall extends Wanted {
  readonly outcome: Outcome
  readonly ms: number
}

/** What all workers of one simulation share. */
export interface Simulated {
  readonly queue: EventQueue
  readonly store: SimulatedStore
  readonly tally: Tally
}

/** How a call began. `tries`: it is what a process tries that doubts itself. */
interface Beginning {
  readonly generation: number
  /** Of the trial's lease; empty when it holds none. */
  readonly token: string
  readonly tries: boolean
}

/** How long a provider that says no more is left alone after a 429, ms. */
const THROTTLE_MS = 1_000

/** One process: it decides by what it knows, makes its calls, and sends how they ended. As `client/admission/` has it. */
export class SimulatedWorker {
  readonly name: string
  readonly #domain: string
  readonly #doubt: SimulatedDoubt
  readonly #simulated: Simulated
  readonly #random: () => number
  readonly #outbox: SimulatedOutbox
  #sequence = 0
  #asking = false
  #refusedUntil: { readonly atMs: number; readonly version: number } | undefined
  #gone = false
  readonly #leave: () => void

  constructor(name: string, domain: string, simulated: Simulated, random: () => number) {
    this.name = name
    this.#domain = domain
    this.#doubt = new SimulatedDoubt(
      simulated.queue,
      simulated.store.settings.breaker,
      () => simulated.store.known.generation,
      random,
    )
    this.#simulated = simulated
    this.#random = random
    this.#outbox = new SimulatedOutbox(simulated.queue, random, (runs) => this.#record(runs))
    this.#leave = simulated.store.listen((known) => this.#learn(known))
  }

  /** A call is to begin now. */
  want(call: WantedCall): void {
    const { queue, store, tally } = this.#simulated
    const now = queue.now
    tally.wanted(call, now)
    const { known } = store
    if (known.state !== 'closed' && (known.state === 'half_open' || passed(known.retryAtMs, now))) {
      this.#askForTrial(call, known)
    } else if (known.state === 'open' || known.throttledUntilMs > now) {
      tally.refused(call, now)
    } else {
      this.#wantWhileClosed(call, known)
    }
  }

  #wantWhileClosed(call: WantedCall, known: Known): void {
    const { queue, tally } = this.#simulated
    const tries = this.#doubt.doubtful
    const refused = tries && !this.#doubt.beginTry()
    if (!refused && !this.#heldBack(known, queue.now)) {
      this.#begin(call, { generation: known.generation, token: '', tries })
      return
    }
    if (tries && !refused) this.#doubt.endTry(undefined)
    tally.refused(call, queue.now)
  }

  /** A health check has ended: it needs no permission, and its result goes at once. */
  probed(outcome: Outcome): void {
    this.#outbox.add(this.#run('probe', outcome, this.#simulated.store.known.generation, ''), true)
  }

  /** The process ends, and sends what it holds. Calls under way are lost. */
  end(): void {
    this.#gone = true
    this.#outbox.flush()
    this.#leave()
  }

  #heldBack({ rampUntilMs }: Known, now: number): boolean {
    if (rampUntilMs <= now) return false
    const { recoveryRampMs } = this.#simulated.store.settings.breaker
    return this.#random() >= rampShare(rampUntilMs - now, recoveryRampMs)
  }

  /** One request at a time; a refusal is kept until the first lease can end, or something newer is known. */
  #askForTrial(call: WantedCall, known: Known): void {
    const { queue, store, tally } = this.#simulated
    const kept = this.#refusedUntil
    const refusedMeanwhile = kept !== undefined && kept.version === known.version && kept.atMs > queue.now
    if (this.#asking || refusedMeanwhile) {
      tally.refused(call, queue.now)
      return
    }
    this.#asking = true
    const { breaker } = store.settings
    const token = `${this.name}/${queue.now}`
    queue.after(WAY_MS, () => {
      const { admitted, trial, retryAfterMs, generation } = store.admit(this.#sender, token)
      queue.after(WAY_MS, () => {
        this.#asking = false
        if (!admitted) this.#expectNone(retryAfterMs ?? 0)
        else if (trial && breaker.halfOpenMaxTrials === 1) this.#expectNone(breaker.trialLeaseMs)
        if (admitted) this.#begin(call, { generation, token: trial ? token : '', tries: false })
        else tally.refused(call, queue.now)
      })
    })
  }

  #expectNone(forMs: number): void {
    const { queue, store } = this.#simulated
    this.#refusedUntil = { atMs: queue.now + forMs, version: store.known.version }
  }

  #begin(call: WantedCall, began: Beginning): void {
    this.#simulated.tally.begun(call, began.token !== '')
    this.#simulated.queue.after(call.ms, () => {
      if (!this.#gone) this.#ended(call.outcome, began)
    })
  }

  /** First it goes into the outbox, at once because of a doubt; the batch is made after the doubt has ended. */
  #ended(outcome: Outcome, { generation, token, tries }: Beginning): void {
    const { queue, store } = this.#simulated
    const { known } = store
    this.#doubt.count(outcome, generation)
    const unblocked = known.state === 'closed' && known.throttledUntilMs <= queue.now && !this.#doubt.doubtful
    if (outcome === 'healthy' && token === '' && unblocked) this.#outbox.healthy(generation)
    else this.#outbox.add(this.#run('call', outcome, generation, token), !unblocked)
    if (tries) this.#doubt.endTry(outcome)
  }

  #run(origin: Origin, outcome: Outcome, generation: number, token: string): Run {
    return {
      origin,
      outcome,
      count: 1,
      generation,
      token,
      retryAfterMs: outcome === 'throttled' ? THROTTLE_MS : 0,
      settingsRevision: 0,
      markVersion: 0,
      detail: '',
      ageMs: 0,
    }
  }

  get #sender() {
    return { name: this.name, domain: this.#domain, sequence: this.#sequence, ...this.#doubt.report() }
  }

  #record(runs: readonly Run[]) {
    this.#sequence += 1
    return this.#simulated.store.record(this.#sender, runs)
  }

  #learn({ state, failingBatches }: Known): void {
    const { failureThreshold } = this.#simulated.store.settings.breaker
    if (state === 'closed' && failingBatches >= (failureThreshold ?? SUSPECT_AT))
      this.#outbox.flushIfSuspected()
  }
}

const passed = (atMs: number | null, now: number): boolean => atMs !== null && now >= atMs
