import type { BreakerSettings } from '../model/settings.js'
import { isCircuitOutcome, isSuccess, type Outcome } from '../model/words.js'
import { isDoubtful, tryAgainInMs } from '../rules/doubt.js'
import type { EventQueue } from './event-queue.js'

/** How much later than the rules say a doubtful process tries, at most, as a share of the wait. */
const JITTER = 0.2

/**
 * The doubt of one process in itself: its failures in a row of the present generation, and its own circuit, which begins open
 * once they are many. It exists only with a quorum.
 */
export class SimulatedDoubt {
  readonly #queue: EventQueue
  readonly #breaker: BreakerSettings
  readonly #random: () => number
  #generation = 0
  #failures = 0
  #beganAtMs = 0
  #tried = false
  /** When it tries next, ms; undefined while it is not doubtful. */
  #tryAtMs: number | undefined
  #tries = 0
  #trying = false

  constructor(queue: EventQueue, breaker: BreakerSettings, random: () => number) {
    this.#queue = queue
    this.#breaker = breaker
    this.#random = random
  }

  /** What travels with every batch. */
  get own() {
    const ownSinceMs = this.#failures === 0 ? 0 : Math.floor(this.#queue.now - this.#beganAtMs)
    return { tried: this.#tried, ownFailures: this.#failures, ownSinceMs }
  }

  /** Whether a call is refused by the process itself. One that is not, while it doubts, is its trial. */
  refuses(generation: number): boolean {
    if (this.#breaker.quorum === 1) return false
    this.#follow(generation)
    if (this.#tryAtMs === undefined) return false
    if (this.#trying || this.#queue.now < this.#tryAtMs) return true
    this.#trying = true
    return false
  }

  /** A call has ended. True while the process doubts itself, also where this call ends that: its outcome goes at once. */
  ended(outcome: Outcome, generation: number, present: number): boolean {
    if (this.#breaker.quorum === 1 || !isCircuitOutcome(outcome)) return false
    this.#follow(present)
    const success = isSuccess(outcome)
    if (success) this.#tried = true
    if (generation !== present) return false
    const doubted = this.#tryAtMs !== undefined
    if (success) this.#begin(present)
    else this.#failed(doubted)
    return doubted || this.#tryAtMs !== undefined
  }

  #failed(doubted: boolean): void {
    const now = this.#queue.now
    if (this.#failures === 0) this.#beganAtMs = now
    this.#failures += 1
    if (!isDoubtful({ failures: this.#failures, sinceMs: now - this.#beganAtMs }, this.#breaker)) return
    if (doubted && !this.#trying) return
    const waitMs = tryAgainInMs(this.#tries, this.#breaker)
    this.#tries += 1
    this.#trying = false
    this.#tryAtMs = now + waitMs * (1 + JITTER * this.#random())
  }

  /** A run is of one generation. */
  #follow(generation: number): void {
    if (generation !== this.#generation) this.#begin(generation)
  }

  #begin(generation: number): void {
    this.#generation = generation
    this.#failures = 0
    this.#tryAtMs = undefined
    this.#tries = 0
    this.#trying = false
  }
}
