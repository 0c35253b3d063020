/** Time as one process sees it: monotonic, ms, never compared with the time of another process. */
export interface Clock {
  now(): number
}

/** Timers that fire by a process's clock. */
export interface Timers {
  /** Calls `fire` once, `ms` from now. */
  set(ms: number, fire: () => void): Timer
  /** Calls `fire` every `ms`, first `ms` from now. */
  every(ms: number, fire: () => void): Timer
}

export interface Timer {
  /** Stops the timer. A second call does nothing. */
  clear(): void
  /** Lets the process end before the timer fires. */
  unref(): Timer
}
