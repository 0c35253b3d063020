import {
  isBusbarError,
  meansLost,
  redisFailure,
  RedisUnavailableError,
  type RedisFailure,
} from '../../model/errors.js'
import type { Timer } from '../../model/ports/time.js'
import { wordsOf, type OutageLog } from './outage-log.js'
import { SYSTEM_TIME, type ProcessTime } from '../shared/time.js'

/** What is done when the store is lost, answers again, and is back. */
export interface StoreListener {
  lost(reason: string): void
  /** Catches up, in order; when it rejects, the store counts as lost still. */
  returning(): Promise<void>
  restored(outageMs: number): void
}

export interface StoreWatchOptions {
  /** Shows that the store takes reads and writes; rejects when it does not, or not in time. */
  readonly ping: () => Promise<unknown>
  readonly log: OutageLog
  /** Whether the process may end while it waits for the store. */
  readonly unref: boolean
  /** Default: that of the system. */
  readonly time?: ProcessTime
}

/**
 * Whether the store serves. It trades a moment of agreement for calls that never wait: after one command that was not
 * answered, or a write that was refused, nothing but a ping asks the store, and every other command is rejected at once.
 *
 * - `up`         commands go to the store. One whose failure `meansLost` leads to `lost`.
 * - `lost`       every command is rejected on the spot; a ping tries, with a pause of 25 ms to 1.5 s, drawn at random.
 * - `returning`  the ping was answered: commands go again, this process catches up, and what waits is written. Calls are
 *                still decided without the store. It ends in `up`, or in `lost` when anything is not answered.
 *
 *     up -> lost <-> returning -> up, any -> stopped (closed)
 *
 * Only `#setPhase` moves between them. `lost` is the one field that calls read; it is true in `lost` and `returning`.
 */
export class StoreWatch {
  readonly #options: StoreWatchOptions
  readonly #time: ProcessTime
  #attendant: StoreListener | undefined
  #phase: 'up' | 'lost' | 'returning' | 'stopped' = 'up'
  #reason: unknown
  #failure: RedisFailure = 'unanswered'
  #lostAt = 0
  #restoredAt = -Infinity
  #attempt = 0
  #timer: Timer | undefined
  #waiting: (() => void)[] = []
  /** Whether calls are to be decided without the store. */
  lost = false
  /** How many outages there were, this one included. */
  outages = 0
  /** When this outage began, ms since 1970 on this machine's clock; undefined while the store answers. */
  since: number | undefined

  constructor(options: StoreWatchOptions) {
    this.#options = options
    this.#time = options.time ?? SYSTEM_TIME
  }

  setListener(attendant: StoreListener): void {
    this.#attendant = attendant
  }

  /** How long ago the last outage began, ms. */
  get lostMsAgo(): number {
    return Math.round(this.#time.clock.now() - this.#lostAt)
  }

  /** Runs a command, unless the store is lost. */
  ask<T>(doing: string, command: () => Promise<T>): Promise<T> {
    if (this.#phase === 'lost') {
      return Promise.reject(new RedisUnavailableError(doing, this.#reason, this.#failure))
    }
    const answer = command()
    answer.catch((error: unknown) => {
      if (meansLost(error)) this.fail(error)
    })
    return answer
  }

  /** A command was not answered. */
  fail(error: unknown): void {
    if (this.#phase === 'returning') this.#setPhase('lost', error)
    if (this.#phase !== 'up') return
    this.outages += 1
    this.since = this.#time.wallClock.now()
    this.#lostAt = this.#time.clock.now()
    // Who comes and goes is asked less and less often.
    if (this.#lostAt - this.#restoredAt > CALM_MS) this.#attempt = 0
    this.#setPhase('lost', error)
    this.#options.log.lost(error)
    this.#attendant?.lost(wordsOf(error))
    this.#pingLater()
  }

  /** Resolves when the store is back, or after `ms`. */
  async back(ms: number): Promise<void> {
    if (this.#phase !== 'lost' && this.#phase !== 'returning') return
    await new Promise<void>((resolve) => {
      // Not unref'd: who waits is not to find that the process has ended.
      const timer = this.#time.timers.set(ms, resolve)
      this.#waiting.push(() => {
        timer.clear()
        resolve()
      })
    })
  }

  /** The store is known to be back: asks it at once, instead of after the pause. */
  retryNow(): void {
    if (this.#phase !== 'lost' || this.#timer === undefined) return
    this.#timer.clear()
    void this.#ping()
  }

  stop(): void {
    this.#timer?.clear()
    this.#setPhase('stopped')
    this.#options.log.stop()
    this.#release()
  }

  /** `error`: the failure of a command that led to it. */
  #setPhase(phase: 'up' | 'lost' | 'returning' | 'stopped', error?: unknown): void {
    // A closed one stays closed, whatever was still under way.
    if (this.#phase === 'stopped') return
    this.#phase = phase
    this.lost = phase === 'lost' || phase === 'returning'
    if (error === undefined) return
    // The reason without the command: commands of others are rejected with it too.
    this.#reason = isBusbarError(error, 'redis_unavailable') ? error.cause : error
    const failure = redisFailure(error) ?? 'unanswered'
    // Whatever is rejected while the store is lost may be tried again.
    this.#failure = failure === 'permanent' ? 'unanswered' : failure
  }

  #pingLater(): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#attempt, MAX_PAUSE_MS) * (0.5 + Math.random())
    this.#attempt += 1
    this.#timer = this.#time.timers.set(pauseMs, () => void this.#ping())
    if (this.#options.unref) this.#timer.unref()
  }

  async #ping(): Promise<void> {
    this.#timer = undefined
    try {
      await this.#options.ping()
      this.#setPhase('returning')
      await this.#attendant?.returning()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'Redis is still away')
      this.#options.log.learn(error)
      this.#setPhase('lost', error)
    }
    if (this.#phase === 'stopped') return
    // Another command may have failed meanwhile.
    if (this.#phase === 'returning') this.#restore()
    else this.#pingLater()
  }

  #restore(): void {
    this.#restoredAt = this.#time.clock.now()
    const outageMs = Math.round(this.#restoredAt - this.#lostAt)
    this.#setPhase('up')
    this.since = undefined
    this.#options.log.restored()
    this.#release()
    this.#attendant?.restored(outageMs)
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000
/** After so long without an outage the pings of the next begin with the shortest pause. */
const CALM_MS = 10_000
