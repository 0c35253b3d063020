import type { RecordResult } from '../../model/ports/store-replies.js'
import type { Run } from '../../model/ports/store-requests.js'
import type { Clock } from '../../model/ports/time.js'
import { isCircuitOutcome, isSuccess } from '../../model/words.js'

/**
 * When a process flushes its outbox: at once for what is urgent, else at a turn of its own.
 *
 * The store may ask for more patience: its reply names the pause until the next flush, and the share of the workers whose
 * failures are urgent, so that a provider costs its Redis a bounded number of batches, whatever the size of the fleet.
 * Which workers these are is drawn once. The first failure of a worker brings older successes along; only a worker that
 * goes on flushing can show that nothing but failures follows.
 */
export class FlushPolicy {
  readonly #clock: Clock
  readonly #flushIntervalMs: number
  /** The pause that the store asked for; see `RecordResult`. */
  #notBefore: number | undefined
  #urgentShare = 1
  /** 0 to 1. Below `#urgentShare`, this worker's failures are urgent. */
  readonly #draw: number
  /** 0 to 1: where in `flushIntervalMs` this worker's turns are. */
  readonly #phase: number

  constructor(clock: Clock, flushIntervalMs: number, random: () => number = Math.random) {
    this.#clock = clock
    this.#flushIntervalMs = flushIntervalMs
    this.#draw = random()
    this.#phase = random()
  }

  /** Whether this worker is one of those whose failures go at once. */
  get flushesAtOnce(): boolean {
    return this.#draw < this.#urgentShare
  }

  isUrgent(run: Run): boolean {
    if (run.token !== '' || run.outcome === 'throttled' || run.origin === 'probe') return true
    return isCircuitOutcome(run.outcome) && !isSuccess(run.outcome) && this.flushesAtOnce
  }

  /** How long what is not urgent waits, ms; 0 or less: the first after a longer silence goes at once, so that a worker holds little old news. */
  pauseMs(): number {
    const now = this.#clock.now()
    this.#notBefore ??= this.#nextTurn(now)
    return this.#notBefore - now
  }

  /** Takes over the pause and the share that the store asked for. */
  obey({ waitMs, urgentShare }: RecordResult): void {
    const now = this.#clock.now()
    this.#notBefore = waitMs > this.#flushIntervalMs ? now + waitMs : this.#nextTurn(now)
    this.#urgentShare = urgentShare
  }

  /**
   * Where the store asks for no patience, flushes are on a grid of one's own. Workers that begin together, or that a
   * closing circuit lets go together, would otherwise flush together for ever, with nothing but failures between.
   */
  #nextTurn(now: number): number {
    const phase = this.#phase * this.#flushIntervalMs
    return (Math.floor((now - phase) / this.#flushIntervalMs) + 1) * this.#flushIntervalMs + phase
  }
}
