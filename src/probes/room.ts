/** How many probes this process runs at once. */
export class Room {
  readonly #size: number
  #taken = 0
  #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** Probes that may begin now; 0 also while there are more than should be. */
  get free(): number {
    return Math.max(0, this.#size - this.#taken)
  }

  /** Runs `work` at once, and counts it while it lasts. */
  async run(work: () => Promise<void>): Promise<void> {
    this.#taken += 1
    try {
      await work()
    } finally {
      this.#taken -= 1
      for (const wake of this.#waiting.splice(0)) wake()
    }
  }

  /** Resolves when something ends; at once when nothing is under way. */
  ended(): Promise<void> {
    return this.#taken === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is under way. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.ended()
  }
}
