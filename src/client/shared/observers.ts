import type { DecisionObservation, Observer, OutcomeObservation } from '../../model/observations.js'
import { onRejection, type Counters, type Logger } from './log.js'
import { Meters } from './meters.js'

type Listener<T> = (observation: T) => void

/** What a process is to its observers. */
interface Identity {
  readonly worker: string
  readonly domain: string
  readonly log: Logger
  readonly counters: Counters
}

/**
 * The one seam through which what a process counts comes: outcomes and decisions, on the way of each call, in this process
 * alone. Off is free: the callers look at `outcomes` and `decisions` first, read no clock and allocate nothing.
 */
export class Observers {
  /** Whether anything listens at all. */
  on = false
  /** Whether anything listens for outcomes. */
  outcomes = false
  /** Whether anything listens for decisions. */
  decisions = false
  /** What is counted for metrics; undefined while they are off. */
  meters: Meters | undefined
  readonly worker: string
  readonly domain: string
  readonly #identity: Identity
  #onOutcome: readonly Listener<OutcomeObservation>[] = []
  #onDecision: readonly Listener<DecisionObservation>[] = []
  /** How many want the meters. */
  #metering = 0

  constructor(identity: Identity) {
    this.#identity = identity
    this.worker = identity.worker
    this.domain = identity.domain
  }

  /** Returns what takes the listeners off again. */
  add({ outcome, decision }: Observer): () => void {
    const report = this.#reportOnce()
    const onOutcome = outcome === undefined ? undefined : guarded(outcome, report)
    const onDecision = decision === undefined ? undefined : guarded(decision, report)
    if (onOutcome !== undefined) this.#setOutcome([...this.#onOutcome, onOutcome])
    if (onDecision !== undefined) this.#setDecision([...this.#onDecision, onDecision])
    return () => {
      this.#setOutcome(this.#onOutcome.filter((listener) => listener !== onOutcome))
      this.#setDecision(this.#onDecision.filter((listener) => listener !== onDecision))
    }
  }

  /** Counts for metrics from now on, until `stopMeters` was called as often. */
  startMeters(): Meters {
    this.#metering += 1
    this.meters ??= new Meters()
    this.#setOn()
    return this.meters
  }

  stopMeters(): void {
    this.#metering -= 1
    if (this.#metering === 0) this.meters = undefined
    this.#setOn()
  }

  #setOn(): void {
    this.on = this.outcomes || this.decisions || this.meters !== undefined
  }

  #setOutcome(listeners: readonly Listener<OutcomeObservation>[]): void {
    this.#onOutcome = listeners
    this.outcomes = listeners.length > 0
    this.#setOn()
  }

  #setDecision(listeners: readonly Listener<DecisionObservation>[]): void {
    this.#onDecision = listeners
    this.decisions = listeners.length > 0
    this.#setOn()
  }

  emitOutcome(outcome: OutcomeObservation): void {
    for (const listener of this.#onOutcome) listener(outcome)
  }

  emitDecision(decision: DecisionObservation): void {
    for (const listener of this.#onDecision) listener(decision)
  }

  /** A listener that fails at every call would fill the log: each failure is counted, and the first is logged. */
  #reportOnce(): (error: unknown) => void {
    const { log, counters } = this.#identity
    let logged = false
    return (error) => {
      counters.callbacksFailed += 1
      if (logged) return
      logged = true
      log.error({ err: error }, 'a listener of outcomes failed; its further failures are counted, not logged')
    }
  }
}

/** Whatever it does, the call that it observes goes on. */
function guarded<T>(listener: (observed: T) => unknown, failed: (error: unknown) => void): Listener<T> {
  return (observed) => {
    try {
      const answer = listener(observed)
      if (answer !== undefined) onRejection(answer, failed)
    } catch (error) {
      failed(error)
    }
  }
}
