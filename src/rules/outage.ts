import type { Outage, OutageCause } from '../model/outage.js'
import type { CircuitState } from '../model/words.js'

/**
 * An outage: from the opening of a closed circuit until it closes, however many trials fail in between. The same rules
 * as `lua/lib/outage.lua`.
 */
export interface OutageState {
  readonly sinceMs: number
  /** Why the circuit opened first, in words. */
  readonly reason: string
  readonly by: OutageCause
  /** Trials that failed. */
  readonly trials: number
  /** Outcomes that failed while the circuit was not closed. */
  readonly doomed: number
}

export interface Opening {
  /** The state before. */
  readonly from: CircuitState
  readonly reason: string
  readonly by: OutageCause
  readonly atMs: number
}

/** The outage after an opening: it begins, or one more of its trials failed. */
export function noteOpening(outage: OutageState | null, { from, reason, by, atMs }: Opening): OutageState {
  if (outage === null) return { sinceMs: atMs, reason, by, trials: 0, doomed: 0 }
  return from === 'half_open' && by === 'rule' ? { ...outage, trials: outage.trials + 1 } : outage
}

export const noteDoomed = (outage: OutageState | null, count: number): OutageState | null =>
  outage === null ? null : { ...outage, doomed: outage.doomed + count }

/** The outage as it is kept once the circuit has closed. */
export const endOutage = ({ sinceMs, ...outage }: OutageState, nowMs: number): Outage => ({
  from: sinceMs,
  to: nowMs,
  ...outage,
})
