/** The time of Node, as it was when this module was loaded. */
const REAL = { setTimeout, performance, Date, now: nowOf(performance) }
const realImmediate = setImmediate

/** The function itself, for comparison; it is never called without its object. */
function nowOf(of: typeof performance): unknown {
  return Reflect.get(of, 'now')
}

/** Resolves when every promise job that is due has run, whatever the test runner has put in place of timers. */
export const promiseJobs = (): Promise<void> =>
  new Promise((resolve) => {
    realImmediate(resolve)
  })

/** Calls `fire` in the next turn of the event loop. */
export const nextTurn = (fire: () => void): void => {
  realImmediate(fire)
}

/** Whether fake timers (of vitest, Jest, node:test, Sinon) are in place of those of Node. */
export const timersAreFake = (): boolean => globalThis.setTimeout !== REAL.setTimeout

/** The time of fake timers: `performance` where it is faked, else `Date`; undefined where neither is. */
export function fakeReading(): { readonly source: unknown; readonly ms: number } | undefined {
  if (!timersAreFake()) return undefined
  const { performance: performanceNow, Date: dateNow } = globalThis
  if (performanceNow !== REAL.performance || nowOf(performanceNow) !== REAL.now) {
    return { source: performanceNow, ms: performanceNow.now() }
  }
  return dateNow === REAL.Date ? undefined : { source: dateNow, ms: dateNow.now() }
}

/** One timer of the fake timers in place. Under Node's own timers there is none: a test clock stands still by itself. */
export class FakeTimer {
  #clear: (() => void) | undefined
  #set: unknown
  #dueAt = Infinity

  /** Calls `fire` at `dueAt`, `inMs` from now. */
  arm(dueAt: number, inMs: number, fire: () => void): void {
    const { setTimeout: set, clearTimeout: clear } = globalThis
    if (this.#dueAt === dueAt && this.#set === set) return
    this.disarm()
    if (dueAt === Infinity || !timersAreFake()) return
    this.#dueAt = dueAt
    this.#set = set
    const timer = set(
      () => {
        this.#clear = undefined
        this.#dueAt = Infinity
        fire()
      },
      Math.max(0, inMs),
    )
    // The fake timers of node:test lose count when they clear a timer from before a reset.
    this.#clear = () => {
      if (globalThis.clearTimeout === clear) clear(timer)
    }
  }

  disarm(): void {
    this.#clear?.()
    this.#clear = undefined
    this.#dueAt = Infinity
  }
}
