import { OwnRun } from '../client/sync/own-run.js'
import type { BreakerSettings } from '../model/settings.js'
import { isCircuitOutcome, isSuccess, type Outcome } from '../model/words.js'
import type { EventQueue } from './event-queue.js'

/**
 * The doubt of one process in itself, as a worker has it: the same run of failures, and the same pauses between its tries. It exists
 * only with a quorum.
 */
export class SimulatedDoubt {
  readonly #own: OwnRun
  readonly #on: boolean
  /** Failures since the last success. */
  #inARow = 0

  /** `generationNow`: the one that the process knows. */
  constructor(
    queue: EventQueue,
    breaker: BreakerSettings,
    generationNow: () => number,
    random: () => number,
  ) {
    this.#on = breaker.quorum > 1
    const known = {
      get generation() {
        return generationNow()
      },
      doubt: () => undefined,
    }
    // The worker itself says its names to the store.
    const process = { clock: { now: () => queue.now }, failureDomain: '', incarnation: '' }
    this.#own = new OwnRun(process, known, () => breaker, random)
  }

  get doubtful(): boolean {
    return this.#on && this.#own.doubtful
  }

  /** What travels with every batch. */
  report() {
    const { failures, sinceMs } = this.#on ? this.#own.report(this.#inARow) : { failures: 0, sinceMs: 0 }
    return { tried: this.#own.tried, ownFailures: failures, ownSinceMs: sinceMs }
  }

  /** For a call of a process that doubts itself: whether it is its try. All others are refused. */
  beginTry(): boolean {
    if (this.#own.nextTryInMs > 0) return false
    this.#own.beginTry()
    return true
  }

  /** The try ended so; undefined: it was refused, or says nothing. */
  endTry(outcome: Outcome | undefined): void {
    this.#own.endTry(outcome !== undefined && isCircuitOutcome(outcome) ? isSuccess(outcome) : undefined)
  }

  /** Counts how a call ended. */
  count(outcome: Outcome, generation: number): void {
    if (!this.#on || !isCircuitOutcome(outcome)) return
    if (isSuccess(outcome)) {
      this.#own.tried = true
      this.#inARow = 0
    } else {
      this.#own.failed(1, generation, this.#inARow === 0)
      this.#inARow += 1
    }
  }
}
