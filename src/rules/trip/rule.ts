import type { BreakerSettings } from '../../model/settings.js'
import type { Origin } from '../../model/words.js'

/** The counts that a trip rule judges by: all that came before the run, in order of application. */
export interface Counts {
  readonly origin: Origin
  /** Failures in a row, of outcomes of this origin. */
  readonly inARow: number
  /** Outcomes in the history, of calls and probes. */
  readonly windowTotal: number
  /** The failed ones among them. */
  readonly windowFailed: number
}

export interface Trip {
  /** Which failure of the run opens the circuit, from 1. */
  readonly at: number
  /** Why, in at most 64 bytes: the circuit hash keeps it. */
  readonly reason: string
}

/**
 * Whether a run of `failures` equal failures opens a closed circuit, and which of them, as if they came one by one.
 * Undefined when none does. Takes constant time for a run of any length.
 */
export type TripRule = (counts: Counts, failures: number, settings: BreakerSettings) => Trip | undefined
