/** A change of the circuit, or a naming, in the simulation. */
export interface SimulatedEvent {
  /** ms since the simulation began. */
  readonly at: number
  readonly kind: string
  readonly reason: string
  /** The worker whose batch or trial made it. */
  readonly worker: string
}

/** What the rules did with the calls of a source. */
export interface SimulationResult {
  /** How long the simulated time was, ms. */
  readonly durationMs: number
  /** Calls that workers wanted to make. */
  readonly calls: number
  /** How often the circuit opened, failed trials included. */
  readonly openings: number
  /** How many of the openings were failed trials. */
  readonly failedTrials: number
  readonly closings: number
  /** From the beginning of the fault to the first opening, ms; null when there was none. For a trace, from its first failure. */
  readonly openedAfterMs: number | null
  /** How often a worker was named as failing alone, and how many of them did not. */
  readonly namings: number
  readonly wrongNamings: number
  /** From the beginning of the fault to the first naming, ms; null when there was none. */
  readonly namedAfterMs: number | null
  /** Calls that would have succeeded, and how many of them were refused, while the fault lasted. */
  readonly goodCalls: number
  readonly goodRefused: number
  /** The part of `goodRefused` in `goodCalls`, 0 to 1. */
  readonly goodRefusedShare: number
  /** Calls that the fault would fail, and how many of them were let through, trials apart. Of a trace: all calls that failed. */
  readonly doomedCalls: number
  readonly doomedLetThrough: number
  /** Trials of a half-open circuit. */
  readonly trials: number
  /** The first hundred. */
  readonly events: readonly SimulatedEvent[]
}
