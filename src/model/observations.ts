import type { Origin, Outcome, RefusalCode, Source } from './words.js'

/**
 * How one call or probe of this process ended. `JSON.stringify` makes it a line of a trace, as `busbar simulate --trace`
 * takes it: `{ at, provider, outcome, ms, domain, worker, origin }`.
 */
export interface OutcomeObservation {
  /** When it ended, Redis ms as far as this process knows. */
  readonly at: number
  readonly provider: string
  readonly outcome: Outcome
  /** How long it took, ms with a fraction; 0 for `record()`, which does not know. */
  readonly ms: number
  /** The failure domain of this process: what fails together with it. */
  readonly domain: string
  readonly worker: string
  readonly origin: Origin
}

/** A decision about one call of this process. A call that `admit()` or `execute` made rejects instead is none. */
export interface DecisionObservation {
  readonly provider: string
  readonly admitted: boolean
  /** Where the decision came from. */
  readonly source: Source
  /** Why the call was refused; null where it was admitted. */
  readonly code: RefusalCode | null
  /** With `enforce: false`: why the call would have been refused; else null. */
  readonly wouldRefuse: RefusalCode | null
}

/** Listeners of what a process counts: metrics and traces. Each is called on the way of the call, so it must be quick. */
export interface Observer {
  readonly outcome?: ((outcome: OutcomeObservation) => unknown) | undefined
  readonly decision?: ((decision: DecisionObservation) => unknown) | undefined
}
