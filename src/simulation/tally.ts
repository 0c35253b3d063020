import type { SimulatedEvent, SimulationResult } from './result.js'

/** A call before it is decided whether it begins: how it would end. */
export interface Wanted {
  readonly good: boolean
  /** Whether the fault fails it. */
  readonly doomed: boolean
}

/** When the fault begins and ends, ms since the simulation began. */
export interface FaultTime {
  readonly fromMs: number
  readonly untilMs: number
}

const MAX_EVENTS = 100

/** Counts what happens in a simulation. Calls count by when they would begin. */
export class Tally {
  readonly #fault: FaultTime
  readonly #sinceMs: number
  readonly #isBad: (worker: string) => boolean
  readonly #events: SimulatedEvent[] = []
  #calls = 0
  #openings = 0
  #failedTrials = 0
  #closings = 0
  #openedAtMs: number | undefined
  #namings = 0
  #wrongNamings = 0
  #namedAtMs: number | undefined
  #goodCalls = 0
  #goodRefused = 0
  #doomedCalls = 0
  #doomedLetThrough = 0
  #trials = 0

  /** `sinceMs`: from when the time to open and the time to name count. `isBad`: whether the fault is in that worker. */
  constructor(fault: FaultTime, isBad: (worker: string) => boolean, sinceMs = fault.fromMs) {
    this.#fault = fault
    this.#isBad = isBad
    this.#sinceMs = sinceMs
  }

  wanted({ good, doomed }: Wanted, atMs: number): void {
    this.#calls += 1
    if (good && this.#duringFault(atMs)) this.#goodCalls += 1
    if (doomed) this.#doomedCalls += 1
  }

  refused({ good }: Wanted, atMs: number): void {
    if (good && this.#duringFault(atMs)) this.#goodRefused += 1
  }

  begun({ doomed }: Wanted, trial: boolean): void {
    if (trial) this.#trials += 1
    else if (doomed) this.#doomedLetThrough += 1
  }

  transition(event: SimulatedEvent, from: string): void {
    if (event.kind === 'opened') {
      this.#openings += 1
      if (from === 'half_open') this.#failedTrials += 1
      if (event.at >= Math.floor(this.#sinceMs)) this.#openedAtMs ??= event.at
    }
    if (event.kind === 'closed') this.#closings += 1
    this.#keep(event)
  }

  named(event: SimulatedEvent): void {
    this.#namings += 1
    if (!this.#isBad(event.worker)) this.#wrongNamings += 1
    if (event.at >= Math.floor(this.#sinceMs)) this.#namedAtMs ??= event.at
    this.#keep(event)
  }

  result(durationMs: number): SimulationResult {
    const since = (atMs: number | undefined) => (atMs === undefined ? null : Math.round(atMs - this.#sinceMs))
    return {
      durationMs,
      calls: this.#calls,
      openings: this.#openings,
      failedTrials: this.#failedTrials,
      closings: this.#closings,
      openedAfterMs: since(this.#openedAtMs),
      namings: this.#namings,
      wrongNamings: this.#wrongNamings,
      namedAfterMs: since(this.#namedAtMs),
      goodCalls: this.#goodCalls,
      goodRefused: this.#goodRefused,
      goodRefusedShare: this.#goodCalls === 0 ? 0 : this.#goodRefused / this.#goodCalls,
      doomedCalls: this.#doomedCalls,
      doomedLetThrough: this.#doomedLetThrough,
      trials: this.#trials,
      events: this.#events,
    }
  }

  #duringFault(atMs: number): boolean {
    return atMs >= this.#fault.fromMs && atMs < this.#fault.untilMs
  }

  #keep(event: SimulatedEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event)
  }
}
