import type { BreakerSettings } from '../../model/settings.js'
import type { Origin } from '../../model/words.js'

/** What a trip rule judges by: all that came before the run it is asked about, in order of application. */
export interface Counts {
  readonly origin: Origin
  /** Failures in a row, of outcomes of this origin. */
  readonly inARow: number
  /** Outcomes in the history, of calls and probes. */
  readonly windowTotal: number
  /** Those of them that failed. */
  readonly windowFailed: number
}

export interface Trip {
  /** Which failure of the run opens the circuit, from 1. */
  readonly at: number
  /** Why, in at most 64 bytes: the circuit hash keeps it. */
  readonly reason: string
}

/**
 * Whether a run of `failures` equal failures opens a closed circuit: which of them, as if they came one by one;
 * undefined when none does. Constant time, whatever the length of the run.
 */
export type TripRule = (counts: Counts, failures: number, settings: BreakerSettings) => Trip | undefined
