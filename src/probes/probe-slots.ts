/**
 * How many probes this process makes at once. Probes are taken in jobs of several, while fewer are under way than there are
 * slots; those of the last job that find none wait for one.
 */
export class ProbeSlots {
  readonly #size: number
  #taken = 0
  #running = 0
  readonly #waiting: (() => void)[] = []
  #watchers: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** Whether more may be taken. */
  get free(): boolean {
    return this.#taken < this.#size
  }

  /** Resolves when a probe has ended; at once where none is under way. */
  ended(): Promise<void> {
    return this.#taken === 0 ? Promise.resolve() : new Promise((resolve) => this.#watchers.push(resolve))
  }

  /** Resolves when nothing is under way. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.ended()
  }

  /** Takes all of `items`, and makes the probe of each as soon as there is a slot for it. */
  all<T, R>(items: readonly T[], probe: (item: T) => Promise<R>): Promise<R[]> {
    this.#taken += items.length
    return Promise.all(items.map((item) => this.#run(() => probe(item))))
  }

  async #run<R>(work: () => Promise<R>): Promise<R> {
    if (this.#running >= this.#size) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await work()
    } finally {
      this.#taken -= 1
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next() // it has this slot
      for (const wake of this.#watchers.splice(0)) wake()
    }
  }
}
