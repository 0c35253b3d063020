import type { Clock } from '../../model/ports/time.js'

/** The store's clock as one process knows it: what the store last said, and what has passed here since. */
export class StoreClock {
  readonly #clock: Clock
  #nowMs: number
  #saidAt: number

  constructor(clock: Clock, nowMs: number) {
    this.#clock = clock
    this.#nowMs = nowMs
    this.#saidAt = clock.now()
  }

  /** The store has just said that it is `nowMs`. */
  set(nowMs: number): void {
    this.#nowMs = nowMs
    this.#saidAt = this.#clock.now()
  }

  get nowMs(): number {
    return this.at(this.#clock.now())
  }

  /** The store's time at a moment of this process's clock. */
  at(moment: number): number {
    return Math.floor(this.#nowMs + moment - this.#saidAt)
  }
}
