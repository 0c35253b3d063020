import type { Permit } from '../admission/permit.js'
import { LoopWatch } from '../shared/loop-watch.js'

/**
 * The calls of one process that have begun and not ended, and the trials it holds, so that `close()` can let the calls
 * end and give the leases back. All that a call pays is an addition at its begin and one at its end.
 */
export class CallsUnderWay {
  /** Calls made by `execute`. Permits of `admit()` are not counted: nothing says whether they will ever be settled. */
  count = 0
  /** Whether new calls are refused. */
  closing = false
  /** How long the loop stood still while calls were under way. */
  readonly loop = new LoopWatch(() => this.count > 0)
  readonly #trials = new Set<Permit>()
  #waiting: (() => void)[] = []

  end(): void {
    this.count -= 1
    if (this.closing && this.count === 0) this.#release()
  }

  /** A trial whose lease other workers wait for. */
  hold(permit: Permit): void {
    this.#trials.add(permit)
  }

  settled(permit: Permit): void {
    this.#trials.delete(permit)
  }

  /** Resolves when no call is under way. */
  ended(): Promise<void> {
    if (this.count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Gives back the leases of trials that have not ended; what they find out is not awaited any more. */
  async giveBack(): Promise<void> {
    await Promise.allSettled([...this.#trials].map((permit) => permit.settle('ignored')))
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
