import type { Run } from '../../model/ports/store-requests.js'
import type { Clock } from '../../model/ports/time.js'
import { HEALTHY, mergeable, opened, type OpenRun } from './open-run.js'

/** Outcomes that have not been sent, in order, as runs of equal ones: a thousand successes cost what one costs. */
export class OutcomeBuffer {
  readonly #clock: Clock
  readonly #bucketMs: () => number
  #runs: OpenRun[] = []
  /** The run that the next outcome may join. */
  #last: OpenRun | undefined

  /** `bucketMs`: how long a run of the history grows at most. */
  constructor(clock: Clock, bucketMs: () => number) {
    this.#clock = clock
    this.#bucketMs = bucketMs
  }

  /** Runs that wait. */
  get length(): number {
    return this.#runs.length
  }

  /** When the oldest of them came, on the process's clock; undefined where none waits. */
  get oldestAt(): number | undefined {
    return this.#runs[0]?.at
  }

  /** A success of a call without a lease: the hot path. Allocates nothing while the run goes on. False when it began one. */
  addHealthy(generation: number): boolean {
    const last = this.#last
    const joins = last !== undefined && last.plain && last.generation === generation
    if (joins) last.count += 1
    else this.#append(opened(HEALTHY, true, this.#clock.now(), generation))
    return joins
  }

  add(run: Run): void {
    const last = this.#last
    const at = this.#clock.now()
    if (last !== undefined && mergeable(last, run) && !this.#outgrown(last, at)) last.count += run.count
    else {
      const plain = run.outcome === 'healthy' && run.token === '' && run.origin === 'call'
      this.#append(opened(run, plain, at))
    }
  }

  #append(run: OpenRun): void {
    this.#runs.push(run)
    this.#last = run
  }

  /** Outcomes that wait for the store enter the history at their time, so their runs grow no longer than those there. */
  #outgrown(last: OpenRun, at: number): boolean {
    return last.generation === 0 && at - last.at >= this.#bucketMs()
  }

  /** The oldest runs, `most` at most. Once they are taken they grow no more. */
  take(most = Infinity): OpenRun[] {
    const runs = this.#runs.splice(0, most)
    if (this.#runs.length === 0) this.#last = undefined
    return runs
  }

  /** All that waits is to enter the history, and to decide nothing. */
  downgradeToHistory(): void {
    for (const run of this.#runs) run.generation = 0
  }
}
