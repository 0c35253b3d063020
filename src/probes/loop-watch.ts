/**
 * Whether this process itself was too busy to judge: a probe that ran out of time while the event loop stood still says
 * nothing about its provider. Costs one timer while probes are under way, none otherwise.
 */
export class LoopWatch {
  #underway = 0
  #timer: NodeJS.Timeout | undefined
  #beatAt = 0
  /** Longest standstill seen by the timer since a moment, newest last; at most a handful are kept. */
  readonly #stalls: { readonly at: number; readonly ms: number }[] = []

  /** Answers what `work` does, and for how long at most the loop stood still meanwhile, ms. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly stalledMs: number }> {
    const began = performance.now()
    if (this.#underway === 0) this.#start(began)
    this.#underway += 1
    try {
      const value = await work()
      return { value, stalledMs: this.#longestSince(began) }
    } finally {
      this.#underway -= 1
      if (this.#underway === 0) this.#stop()
    }
  }

  #start(now: number): void {
    this.#beatAt = now
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#stalls.length = 0
  }

  #beat(): void {
    const now = performance.now()
    const late = now - this.#beatAt - BEAT_MS
    if (late > BEAT_MS) {
      this.#stalls.push({ at: now, ms: late })
      if (this.#stalls.length > MAX_STALLS) this.#stalls.shift()
    }
    this.#beatAt = now
  }

  /** The standstill that ends just now may not have been seen by the timer yet. */
  #longestSince(began: number): number {
    const now = performance.now()
    const open = now - this.#beatAt - BEAT_MS
    return this.#stalls.reduce((longest, { at, ms }) => (at >= began ? Math.max(longest, ms) : longest), open)
  }
}

const BEAT_MS = 20
const MAX_STALLS = 100
