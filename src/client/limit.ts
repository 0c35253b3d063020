/** Runs at most `atOnce` pieces of work at a time; the others wait, in order. */
export class Limit {
  readonly #atOnce: number
  #running = 0
  readonly #waiting: (() => void)[] = []
  #next = 0

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    // A slot that becomes free is handed on, so that nothing overtakes what waits.
    if (this.#running >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await work()
    } finally {
      this.#handOn()
    }
  }

  #handOn(): void {
    const next = this.#waiting[this.#next]
    if (next === undefined) {
      this.#running -= 1
      return
    }
    this.#next += 1
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0
      this.#next = 0
    }
    next()
  }
}
