import type { Clock } from '../../model/ports/time.js'
import { LoopShare } from './loop-share.js'

/** `first` pieces of work at a time to begin with, then `least` to `most`; one is to be done within `targetMs`. */
export interface AdaptiveLimitOptions {
  readonly first: number
  readonly least: number
  readonly most: number
  readonly targetMs: number
  readonly clock: Clock
}

/**
 * Runs pieces of work, some at a time; the others wait, in order. How many at a time follows how long they take, as the
 * window of TCP does: it doubles with each round that was quick, halves after one that was not, and then grows by a
 * quarter. So a process that is alone fills Redis, and fifty that start at once do not drown it. One answer of Redis may
 * make room for hundreds: they begin in turns, so that the loop is not held up.
 */
export class AdaptiveLimit {
  readonly #options: AdaptiveLimitOptions
  #atOnce: number
  #running = 0
  readonly #waiting: (() => void)[] = []
  #next = 0
  #slowedAt: number | undefined
  readonly #share = new LoopShare()

  constructor(options: AdaptiveLimitOptions) {
    this.#options = options
    this.#atOnce = options.first
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce || this.#next < this.#waiting.length) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running += 1
    const began = this.#options.clock.now()
    try {
      return await work()
    } finally {
      this.#running -= 1
      this.#adapt(began)
      this.#handOn()
    }
  }

  #adapt(began: number): void {
    const { least, most, targetMs, clock } = this.#options
    const now = clock.now()
    if (now - began <= targetMs) {
      const step = this.#slowedAt === undefined ? 1 : 0.25
      this.#atOnce = Math.min(most, this.#atOnce + step)
    } else if (this.#slowedAt === undefined || began >= this.#slowedAt) {
      // Once a round: the others that were under way then took as long for the same reason.
      this.#slowedAt = now
      this.#atOnce = Math.max(least, this.#atOnce / 2)
    }
  }

  /** What becomes free goes to those that wait, so that nothing overtakes them. */
  #handOn(): void {
    while (this.#running < Math.floor(this.#atOnce)) {
      const next = this.#waiting[this.#next]
      if (next === undefined) return
      this.#next += 1
      this.#running += 1
      if (this.#next === this.#waiting.length) {
        this.#waiting.length = 0
        this.#next = 0
      }
      void this.#share.run(next)
    }
  }
}
