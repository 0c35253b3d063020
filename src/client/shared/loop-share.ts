/**
 * Work of the processor that may be asked for thousands of times at once. It takes the event loop for `TURN_MS` at most, lets
 * it read what has come meanwhile, and goes on. While little is asked for, it is done on the spot.
 */
export class LoopShare {
  /** When the first piece of this turn of the loop began; undefined before. */
  #turnBegan: number | undefined
  readonly #waiting: (() => void)[] = []

  /** Whether `run` does its work on the spot. */
  get free(): boolean {
    if (this.#waiting.length > 0) return false
    return this.#turnBegan === undefined || performance.now() - this.#turnBegan < TURN_MS
  }

  run<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const piece = () => {
        try {
          resolve(work())
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      if (!this.free) this.#waiting.push(piece)
      else {
        this.#begin()
        piece()
      }
    })
  }

  #begin(): void {
    if (this.#turnBegan !== undefined) return
    this.#turnBegan = performance.now()
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#turnBegan = undefined
    if (this.#waiting.length === 0) return
    this.#begin()
    const until = performance.now() + TURN_MS
    let done = 0
    while (done < this.#waiting.length && performance.now() < until) {
      this.#waiting[done]?.()
      done += 1
    }
    this.#waiting.splice(0, done)
  }
}

const TURN_MS = 5
