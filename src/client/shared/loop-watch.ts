import { clearInterval, setInterval } from 'node:timers'

/** As it was when this was loaded: the standstills are real, whatever clock a test puts in its place. */
const now = performance.now.bind(performance)
const BEAT_MS = 20

/**
 * Whether this process itself was too busy to judge: a call or a probe that ran out of time while the event loop stood
 * still says nothing about its provider. Costs one timer while something is watched, none otherwise.
 */
export class LoopWatch {
  readonly #busy: () => boolean
  #timer: NodeJS.Timeout | undefined
  #beatAt = 0
  #beats = 0
  /** Standstills while something is watched, newest last; at most `MAX_STALLS` are kept. */
  readonly #stalls: { readonly beat: number; readonly ms: number }[] = []

  /** `busy`: whether anything is watched still. */
  constructor(busy: () => boolean) {
    this.#busy = busy
  }

  /**
   * A moment to be given to `since`: a whole number, and no clock is read. A standstill that may have begun before it does
   * not count.
   */
  mark(): number {
    if (this.#timer === undefined) this.#start()
    return this.#beats + 1
  }

  /** The same, exactly: a standstill that goes on counts from now. */
  markNow(): number {
    if (this.#timer === undefined) this.#start()
    else if (now() - this.#beatAt > BEAT_MS) this.#note()
    return this.#beats
  }

  /** The longest standstill since a mark, and about how long ago that was, ms. */
  since(mark: number): { readonly stalledMs: number; readonly elapsedMs: number } {
    // A standstill that ends just now may not have been seen by the timer yet.
    const open = this.#beats >= mark ? now() - this.#beatAt - BEAT_MS : 0
    const stalls = this.#stalls.filter(({ beat }) => beat > mark).map(({ ms }) => ms)
    const elapsedMs = (this.#beats - mark) * BEAT_MS + stalls.reduce((sum, ms) => sum + ms, open)
    return { stalledMs: Math.max(0, open, ...stalls), elapsedMs: Math.max(0, elapsedMs) }
  }

  #start(): void {
    this.#beatAt = now()
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref()
  }

  #beat(): void {
    this.#note()
    if (this.#busy()) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stalls.length = 0
  }

  #note(): void {
    const at = now()
    const late = at - this.#beatAt - BEAT_MS
    this.#beats += 1
    this.#beatAt = at
    if (late <= BEAT_MS) return
    this.#stalls.push({ beat: this.#beats, ms: late })
    if (this.#stalls.length > MAX_STALLS) this.#stalls.shift()
  }
}

/** Answers what `work` does, and for how long at most the loop stood still meanwhile, ms. */
export class WatchedWork {
  #underway = 0
  readonly #loop = new LoopWatch(() => this.#underway > 0)

  async during<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly stalledMs: number }> {
    this.#underway += 1
    const mark = this.#loop.markNow()
    try {
      const value = await work()
      return { value, stalledMs: this.#loop.since(mark).stalledMs }
    } finally {
      this.#underway -= 1
    }
  }
}

const MAX_STALLS = 100

/** A standstill for this share of the time limit makes a timeout this process's own: of calls and of probes. */
export const STALL_SHARE = 0.25
