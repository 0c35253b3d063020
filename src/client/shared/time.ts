import type { Clock, Timer, Timers } from '../../model/ports/time.js'

/** Time as one process has it. A test puts its own in place of `SYSTEM_TIME`; see `busbar/testing`. */
export interface ProcessTime {
  /** Measures what this process waits for. */
  readonly clock: Clock
  /** ms since 1970, on this machine's clock: for what people read, never for a decision. */
  readonly wallClock: Clock
  readonly timers: Timers
}

const holding = (timer: NodeJS.Timeout, clear: (timer: NodeJS.Timeout) => void): Timer => {
  const held: Timer = {
    clear: () => clear(timer),
    unref: () => {
      timer.unref()
      return held
    },
  }
  return held
}

/** The timers of Node, looked up when they are set: a test may have replaced them. */
const SYSTEM_TIMERS: Timers = {
  set: (ms, fire) => holding(setTimeout(fire, ms), (timer) => clearTimeout(timer)),
  every: (ms, fire) => holding(setInterval(fire, ms), (timer) => clearInterval(timer)),
}

export const SYSTEM_TIME: ProcessTime = {
  clock: performance,
  wallClock: { now: () => Date.now() },
  timers: SYSTEM_TIMERS,
}
