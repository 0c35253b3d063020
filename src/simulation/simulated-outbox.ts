import { DEFAULTS } from '../config/defaults.js'
import type { RecordResult } from '../model/ports/store-replies.js'
import type { Run } from '../model/ports/store-requests.js'
import { FlushPolicy } from '../client/outbox/flush-policy.js'
import { asSent } from '../client/outbox/open-run.js'
import { OutcomeBuffer } from '../client/outbox/outcome-buffer.js'
import type { EventQueue } from './event-queue.js'

/** Runs in one batch at most, as in the outbox of a worker. */
const MAX_BATCH = 1_000
/** From sending a command until its script runs, and from there until its reply comes, ms. */
export const WAY_MS = 0.5

/**
 * The outcomes of one worker on their way: when they are sent, and in which order, as `client/outbox/outbox.ts` has it, with
 * the same buffer and the same policy. A failure takes along what came before it; what comes while a batch is under way
 * waits for the next. Nothing fails here.
 */
export class SimulatedOutbox {
  readonly #queue: EventQueue
  readonly #buffer: OutcomeBuffer
  readonly #policy: FlushPolicy
  readonly #apply: (runs: readonly Run[]) => RecordResult
  #flushing = false
  #urgent = false
  /** Counts timers, so that one that was cleared does nothing. */
  #timer = 0
  #scheduled = false

  constructor(queue: EventQueue, random: () => number, apply: (runs: readonly Run[]) => RecordResult) {
    this.#queue = queue
    const clock = { now: () => queue.now }
    // No outcome here waits for the store, so no run has an age.
    this.#buffer = new OutcomeBuffer(clock, () => Infinity)
    this.#policy = new FlushPolicy(clock, DEFAULTS.connect.flushIntervalMs, random)
    this.#apply = apply
  }

  healthy(generation: number): void {
    if (!this.#buffer.addHealthy(generation) && this.#buffer.length >= MAX_BATCH) this.flush()
    if (!this.#scheduled && !this.#flushing) this.#schedule()
  }

  add(run: Run, atOnce: boolean): void {
    this.#buffer.add(run)
    if (atOnce || this.#buffer.length >= MAX_BATCH || this.#policy.isUrgent(run)) this.flush()
    else if (!this.#scheduled && !this.#flushing) this.#schedule()
  }

  /** The fleet suspects an outage: what is held is wanted now. */
  flushIfSuspected(): void {
    if (this.#buffer.length > 0 && this.#policy.flushesAtOnce) this.flush()
  }

  flush(): void {
    this.#urgent = true
    if (!this.#flushing) this.#send()
  }

  #schedule(): void {
    const pauseMs = this.#policy.pauseMs()
    if (pauseMs <= 0) {
      this.flush()
      return
    }
    this.#timer += 1
    const timer = this.#timer
    this.#scheduled = true
    this.#queue.after(pauseMs, () => {
      if (this.#scheduled && timer === this.#timer) this.flush()
    })
  }

  #send(): void {
    this.#scheduled = false
    if (this.#buffer.length === 0) {
      this.#urgent = false
      return
    }
    const runs = this.#buffer.take(MAX_BATCH).map((run) => asSent(run, this.#queue.now))
    this.#urgent = this.#buffer.length > 0
    this.#flushing = true
    this.#queue.after(WAY_MS, () => {
      const result = this.#apply(runs)
      this.#queue.after(WAY_MS, () => this.#answered(result))
    })
  }

  #answered(result: RecordResult): void {
    this.#policy.obey(result)
    this.#flushing = false
    if (this.#urgent) this.#send()
    else if (this.#buffer.length > 0 && !this.#scheduled) this.#schedule()
  }
}
