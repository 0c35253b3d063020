/** Timers that end together. They keep no process alive. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>()
  #closed = false

  /** Does it once, after `ms` by this process's own measure of time, unless it is closed before. */
  later(ms: number, action: () => void): void {
    if (this.#closed) return
    const timer = setTimeout(
      () => {
        this.#pending.delete(timer)
        action()
      },
      Math.min(ms, LONGEST_MS),
    ).unref()
    this.#pending.add(timer)
  }

  /** Again and again, at distances between 0.75 and 1.25 times `ms`, so that processes do not act in step. */
  every(ms: number, action: () => void): void {
    this.later(ms * (0.75 + Math.random() / 2), () => {
      action()
      this.every(ms, action)
    })
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#pending) clearTimeout(timer)
    this.#pending.clear()
  }
}

/** Node would take a longer time for none. */
const LONGEST_MS = 2 ** 31 - 1
