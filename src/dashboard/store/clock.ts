/**
 * One timer for the whole page: a tick a second, at which texts that contain times are made again. It stands still while the
 * tab is hidden, and ticks at once when it is shown.
 */
export class Clock {
  #now = Date.now()
  #timer: ReturnType<typeof setInterval> | undefined
  readonly #listeners = new Set<() => void>()

  /** ms since 1970 at the last tick. */
  get now(): number {
    return this.#now
  }

  start(): void {
    document.addEventListener('visibilitychange', () => this.#run())
    this.#run()
  }

  /** @returns ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #run(): void {
    clearInterval(this.#timer)
    if (document.hidden) return
    this.#tick()
    this.#timer = setInterval(() => this.#tick(), 1_000)
  }

  #tick(): void {
    this.#now = Date.now()
    for (const listener of this.#listeners) listener()
  }
}
