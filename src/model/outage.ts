/** The cause of an outage: a trip rule, or an operator with `trip`. */
export type OutageCause = 'rule' | 'hand'

/** An outage of a provider that is over: from the opening of its circuit until it closed. */
export interface Outage {
  /** Redis ms. */
  readonly from: number
  readonly to: number
  /** Why the circuit opened first. */
  readonly reason: string
  /** Trials that failed. */
  readonly trials: number
  /** Outcomes that failed between opening and closing, trials and health checks included. */
  readonly doomed: number
  readonly by: OutageCause
}
