import type { BreakerSettings } from '../../model/settings.js'
import type { Origin } from '../../model/words.js'
import type { Backing } from '../quorum.js'
import type { WindowCounts } from '../rate-window.js'

/** The counts that a trip rule judges by: all that came before the run, in order of application. */
export interface Counts {
  readonly origin: Origin
  /** How the outcomes of the run are bad: a degraded one is no failure, and counts for `degradedRate` alone. */
  readonly bad: 'failed' | 'degraded'
  /** Failures in a row, of outcomes of this origin. */
  readonly inARow: number
  /** The rate window; undefined where no rate may be judged now. */
  readonly window: WindowCounts | undefined
  /** Whether enough failure domains have seen what a rule judges by. */
  readonly backing: Backing
}

export interface Trip {
  /** Which outcome of the run opens the circuit, from 1. */
  readonly at: number
  /** Why, in at most 64 bytes: the circuit hash keeps it. */
  readonly reason: string
}

/**
 * Whether a run of `count` equal bad outcomes opens a closed circuit, and which of them, as if they came one by one.
 * Undefined when none does. Takes constant time for a run of any length.
 */
export type TripRule = (counts: Counts, count: number, settings: BreakerSettings) => Trip | undefined
