import { randomUUID } from 'node:crypto'
import type { ProcessContext } from '../client/context.js'
import { meansLost } from '../model/errors.js'
import type { Claims, Schedule } from '../model/ports/schedule.js'

export interface PlannerOptions {
  readonly context: ProcessContext
  readonly schedule: Schedule
  readonly shard: number
  /** Code whose queues are full. */
  readonly fullCodes: () => Promise<readonly string[]>
  /** Puts what is due into the queues. */
  readonly dispatch: (claims: Claims) => Promise<void>
  /** Sees to the jobs that the queue repeats; `late`: a tick has not come for a while. */
  readonly check: (late: boolean) => Promise<void>
}

/**
 * One process's part in planning one shard of the schedule. A tick of the queue, once a second, makes one process of the
 * fleet the planner: until another takes a later tick it claims what is due, at the moment at which it is due, and makes
 * jobs of it, which any free worker takes. It makes no probe itself.
 *
 * - `idle`      a look once a second whether there is a planner.
 * - `planning`  claims, sleeps until the next probe is due, but no longer than a quarter of a second: somebody may bring
 *               one forward. A claim that says that another is the planner, or that the queue is paused, ends it.
 *
 * The schedule keeps who the planner is, and when it last asked. When it has not for a second (its process is dead, or
 * stands still), the first process to notice takes over. When the ticks do not come, the planner goes on and has them
 * repaired. What a planner claimed and did not put into a queue is lost for this turn.
 */
export class Planner {
  readonly #options: PlannerOptions
  readonly #name = randomUUID()
  /** When ticks are late, by this process's own measure of time. */
  #tickUntil = -Infinity
  #takesAtOnce = false
  #planning: Promise<void> | undefined
  readonly #dispatching = new Set<Promise<void>>()
  #wake: (() => void) | undefined
  #woken = false
  #closed = false

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  get shard(): number {
    return this.#options.shard
  }

  /** A tick came here. */
  tick(): void {
    this.#takesAtOnce = true
    this.#plan()
  }

  /** Something may have become due. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Takes over where there is no planner. True when it did. @throws RedisUnavailableError */
  async takeOver(): Promise<boolean> {
    if (this.#closed || this.#planning !== undefined) return false
    const { planner } = await this.#claim()
    if (planner) this.#plan()
    return planner
  }

  /** Claims nothing more. Resolves when what was claimed is in the queue. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    await this.#planning
    await Promise.all(this.#dispatching)
  }

  #plan(): void {
    this.#tickUntil = performance.now() + TICK_LATE_MS
    this.#planning ??= this.#watch()
  }

  async #watch(): Promise<void> {
    let plans = true
    while (plans && !this.#closed) {
      this.#woken = false
      try {
        plans = await this.#turn()
      } catch (error) {
        this.#failed(error)
        await this.#options.context.watch.back(RETRY_MS)
        await this.#sleep(meansLost(error) ? RETRY_MS : TICK_MS)
      }
    }
    // In the same turn as the last claim: a tick after it finds nothing planning.
    this.#planning = undefined
  }

  /** False when another is the planner. */
  async #turn(): Promise<boolean> {
    const { planner, check, nextInMs } = await this.#claim()
    if (!planner) return false
    const late = performance.now() > this.#tickUntil
    if (late) this.#tickUntil = performance.now() + TICK_LATE_MS
    if (check || late) void this.#options.check(late)
    await this.#sleep(Math.min(nextInMs ?? POLL_MS, POLL_MS))
    return true
  }

  async #claim(): Promise<Claims> {
    const { schedule, shard, dispatch, fullCodes } = this.#options
    const full = await fullCodes()
    const takeAfterMs = this.#takesAtOnce ? 0 : TICK_MS
    this.#takesAtOnce = false
    const claims = await schedule.claim(shard, {
      planner: this.#name,
      takeAfterMs,
      max: MAX_CLAIM,
      maxWaiting: MAX_WAITING_JOBS,
      checkMs: CHECK_MS,
      full,
    })
    if (claims.claimed.length > 0) await this.#begin(dispatch(claims))
    return claims
  }

  /** The next claim does not wait until these jobs are in the queue, but few are on their way at a time. */
  async #begin(dispatching: Promise<void>): Promise<void> {
    const ended = dispatching.catch((error: unknown) => this.#failed(error))
    this.#dispatching.add(ended)
    void ended.finally(() => this.#dispatching.delete(ended))
    if (this.#dispatching.size >= MAX_DISPATCHING) await Promise.race(this.#dispatching)
  }

  #failed(error: unknown): void {
    const { counters, log } = this.#options.context
    counters.connectionErrors += 1
    log.warn({ err: error }, 'could not plan the probes that are due')
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#closed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(ms, LEAST_SLEEP_MS)).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** The queue's ticks come at this distance, ms. */
export const TICK_MS = 1_000
/** Jobs that may wait in one queue: what is due besides stays in the schedule. */
export const MAX_WAITING_JOBS = 32
/** A tick may wait behind that many jobs; one that has not come for so long is looked for, ms. */
const TICK_LATE_MS = 3 * TICK_MS
/** The planner sees to the repeated jobs so often, ms. */
const CHECK_MS = 5_000
const POLL_MS = 250
/** Probes that become due within this are taken together, ms. */
const LEAST_SLEEP_MS = 20
/** At most so many probes are claimed at once: they fit into the jobs that may wait. */
const MAX_CLAIM = 256
const MAX_DISPATCHING = 4
const RETRY_MS = 250
