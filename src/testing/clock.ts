import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import type { Clock, Timer, Timers } from '../model/ports/time.js'
import { FakeTimer, fakeReading, nextTurn, promiseJobs } from './fake-timers.js'

/**
 * Time in ms, which stands still until a test moves it: by `advance`, or by the fake timers of a test runner while those
 * are in place (`vi.useFakeTimers()`, `mock.timers.enable()`).
 */
export interface TestClock extends Clock {
  /**
   * Moves time forward, and fires the due timers of busbars, in the order of their times. Promise jobs that they start
   * run after it returns.
   * @throws ArgumentError for anything but a number of ms, 0 or more.
   */
  advance(ms: number): void
  /** The same; promise jobs run before, between and after the timers. */
  advanceAsync(ms: number): Promise<void>
}

/** 14 November 2023: a round number, which no real clock shows by accident. */
const START_MS = 1_700_000_000_000

/** @throws ArgumentError for anything but a number of ms since 1970. */
export function createTestClock(startMs = START_MS): TestClock {
  return new ManualTime(checkMs('startMs', startMs))
}

function checkMs(path: string, ms: unknown): number {
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0) return Math.round(ms)
  throw new ArgumentError(path, `${path}: expected a number of milliseconds, 0 or more, got ${show(ms)}`)
}

interface Entry {
  at: number
  readonly everyMs: number | undefined
  readonly fire: () => void
}

/**
 * The clock and the timers of test busbars. Timers are kept in the order in which they fire: by time, then in the order in
 * which they were set.
 *
 * While fake timers are in place, time moves as theirs does, and one timer of theirs is set for the first of ours, so that
 * both fire in one order. Fake timers without a clock (only `setTimeout` is faked) move time when that timer fires.
 */
export class ManualTime implements TestClock, Timers {
  #nowMs: number
  readonly #entries: Entry[] = []
  readonly #fake = new FakeTimer()
  /** The reading of the fake timers' clock when it last set the time here, and that time. */
  #base: { readonly source: unknown; readonly ms: number; readonly nowMs: number } | undefined

  constructor(startMs: number) {
    this.#nowMs = startMs
    this.#rebase()
  }

  now(): number {
    this.#follow()
    this.#arm()
    return this.#nowMs
  }

  advance(ms: number): void {
    const untilMs = this.now() + checkMs('ms', ms)
    while (this.#fireNext(untilMs));
    this.#moveTo(untilMs)
    this.#arm()
  }

  async advanceAsync(ms: number): Promise<void> {
    const untilMs = this.now() + checkMs('ms', ms)
    await promiseJobs()
    while (this.#fireNext(untilMs)) await promiseJobs()
    this.#moveTo(untilMs)
    this.#arm()
    await promiseJobs()
  }

  set(ms: number, fire: () => void): Timer {
    if (ms <= 0) nextTurn(() => this.#fireDue())
    return this.#add({ at: Math.ceil(this.now() + Math.max(0, ms)), everyMs: undefined, fire })
  }

  every(ms: number, fire: () => void): Timer {
    return this.#add({ at: Math.ceil(this.now() + ms), everyMs: ms, fire })
  }

  #add(entry: Entry): Timer {
    this.#insert(entry)
    this.#arm()
    const timer: Timer = {
      clear: () => {
        const index = this.#entries.indexOf(entry, this.#indexOf(entry.at))
        if (index === -1) return
        this.#entries.splice(index, 1)
        this.#arm()
      },
      // Nothing here keeps a process alive.
      unref: () => timer,
    }
    return timer
  }

  #insert(entry: Entry): void {
    this.#entries.splice(this.#indexOf(entry.at + 1), 0, entry)
  }

  /** The index of the first timer that fires at `at` or later. */
  #indexOf(at: number): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.at ?? Infinity) < at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Fires the first timer that is due by then; false when none is. */
  #fireNext(untilMs: number): boolean {
    const [entry] = this.#entries
    if (entry === undefined || entry.at > untilMs) return false
    this.#entries.shift()
    this.#moveTo(entry.at)
    if (entry.everyMs !== undefined) {
      const left = Math.floor((untilMs - entry.at) / entry.everyMs)
      entry.at = Math.ceil(entry.at + entry.everyMs * Math.max(1, left - MAX_REPEATS))
      this.#insert(entry)
    }
    entry.fire()
    return true
  }

  #fireDue(): void {
    this.#follow()
    while (this.#fireNext(this.#nowMs));
    this.#arm()
  }

  /** Time never goes back: a timer may have moved it further. */
  #moveTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms)
    this.#rebase()
  }

  #rebase(): void {
    const reading = fakeReading()
    this.#base = reading === undefined ? undefined : { ...reading, nowMs: this.#nowMs }
  }

  /** Brings time to that of the fake timers, if they are in place still. */
  #follow(): void {
    const reading = fakeReading()
    const base = this.#base
    if (reading === undefined || base === undefined || reading.source !== base.source) {
      this.#rebase()
    } else {
      this.#nowMs = Math.max(this.#nowMs, base.nowMs + Math.floor(reading.ms - base.ms))
    }
  }

  #arm(): void {
    const dueAt = this.#entries[0]?.at ?? Infinity
    this.#fake.arm(dueAt, dueAt - this.#nowMs, () => {
      this.#follow()
      this.#moveTo(dueAt)
      this.#fireDue()
    })
  }
}

/** The most firings of a repeated timer in one leap of time: of more, only the last ones happen. */
const MAX_REPEATS = 10_000
