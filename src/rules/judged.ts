import type { Run } from '../model/ports/store-requests.js'
import { isCircuitOutcome, type CircuitOutcome } from '../model/words.js'
import type { Circuit, Step } from './circuit.js'

/** A run of outcomes that can open or close a circuit. */
export type CircuitRun = Run & { readonly outcome: CircuitOutcome }

export const isCircuitRun = (run: Run): run is CircuitRun => isCircuitOutcome(run.outcome)

/** The circuit after a run of outcomes, and how much of the run decided something. */
export interface Judged extends Step {
  /** How many outcomes of the run were of an older generation, or lacked the lease they needed. */
  readonly outdated: number
  /** Whether the run was dropped: not even the history takes it. */
  readonly dropped: boolean
}

export const judged = ({ circuit, events }: Step, outdated = 0): Judged => ({
  circuit,
  events,
  outdated,
  dropped: false,
})

/** The run moved counters at most: nothing is announced. */
export const unannounced = (circuit: Circuit, outdated = 0): Judged => ({
  circuit,
  events: [],
  outdated,
  dropped: false,
})
