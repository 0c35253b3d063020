import { BusbarClosedError } from '../../model/errors.js'
import type { Run } from '../../model/ports/store-requests.js'
import type { Timer } from '../../model/ports/time.js'
import { isCircuitOutcome, isSuccess } from '../../model/words.js'
import { bucketMs } from '../../rules/history.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { BatchSender } from './batch-sender.js'
import { EarlyProbe } from './early-probe.js'
import { FlushPolicy } from './flush-policy.js'
import { NOTHING, type OpenRun } from './open-run.js'
import { OutcomeBuffer } from './outcome-buffer.js'

/**
 * - `idle`       nothing waits.
 * - `waiting`    outcomes wait for the next turn.
 * - `flushing`   a batch is under way; what comes meanwhile waits for the next and goes as one (group commit).
 * - `resending`  the batch under way failed and is sent again; its error is given at once to all who ask.
 */
type Mode = 'idle' | 'waiting' | 'flushing' | 'resending'

/**
 * A process's outcomes for one provider, on their way to the store, in order. It trades a bounded delay of good news for
 * the round trip.
 *
 * It flushes at once for an outcome that is urgent (a failure, a pause, a trial's result, anything while the circuit is not
 * closed), for every outcome in strict mode, and at `MAX_BATCH` runs; else at the turns of `FlushPolicy`. A flush carries
 * everything before the failure, in order, so that the mixed traffic of many workers does not look like a run of failures.
 *
 * An outcome that is dropped, because its batch was given up or more than `MAX_RUNS` runs wait, is counted in `outcomesLost` and
 * logged. A process that is killed loses what it has not sent.
 */
export class Outbox {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #early: EarlyProbe
  readonly #buffer: OutcomeBuffer
  readonly #policy: FlushPolicy
  readonly #sender: BatchSender
  #timer: Timer | undefined
  #flushing: Promise<void> | undefined
  #urgent = false
  /** Set while a batch is being sent again. */
  #failing: Error | undefined
  /** Callers that wait for the next batch. */
  #waiters: Waiter[] = []
  /** Callers that wait for the batch under way, which may have begun before they came. */
  #underway: (() => void)[] = []
  /** Failures of calls in this process since its last success. */
  failuresInRow = 0

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
    this.#early = new EarlyProbe(context, session)
    this.#buffer = new OutcomeBuffer(context.clock, () => bucketMs(session.settings.settings.history))
    this.#policy = new FlushPolicy(context.clock, context.flushIntervalMs)
    this.#sender = new BatchSender(context, session, () => this.failuresInRow)
  }

  get #mode(): Mode {
    if (this.#failing !== undefined) return 'resending'
    if (this.#flushing !== undefined) return 'flushing'
    return this.#buffer.length > 0 ? 'waiting' : 'idle'
  }

  /** Whether anything has not been applied yet. */
  get busy(): boolean {
    return this.#mode !== 'idle'
  }

  /** Runs that are not applied yet, and when the oldest of them came, on the process's clock. */
  get backlog(): { readonly runs: number; readonly oldestAt: number | undefined } {
    const { underWay } = this.#sender
    return { runs: underWay.length + this.#buffer.length, oldestAt: underWay[0]?.at ?? this.#buffer.oldestAt }
  }

  /** A success of a call without a lease: the hot path. Allocates nothing while the run goes on. */
  healthy(generation: number): void {
    this.failuresInRow = 0
    if (!this.#buffer.addHealthy(generation)) {
      this.#session.own.tried = true
      this.#bound()
    }
    if (this.#timer === undefined && this.#flushing === undefined) this.#schedule()
  }

  /** An outcome that may wait, or not. True when it goes at once. */
  add(run: Run, atOnce = false): boolean {
    this.#countFailures(run)
    this.#buffer.add(run)
    this.#bound()
    if (atOnce || this.#policy.isUrgent(run)) {
      this.#flushSoon()
      return true
    }
    if (this.#timer === undefined && this.#flushing === undefined) this.#schedule()
    return false
  }

  /** As `add`, at once. Resolves when the outcome has been applied; rejects when the first attempt failed. */
  commit(run: Run): Promise<void> {
    this.add(run, true)
    return this.attempted()
  }

  /** The first attempt of everything added so far, once it goes. */
  attempted(): Promise<void> {
    if (this.#failing !== undefined) return Promise.reject(this.#failing)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  /** Resolves when everything added before has been applied, or its first attempt has failed. */
  async drain(): Promise<void> {
    if (this.#buffer.length > 0) {
      this.#flushSoon()
      await this.attempted().catch(() => undefined)
    } else if (this.#mode === 'flushing') await this.#attemptUnderWay()
  }

  /** The fleet suspects an outage of the provider: what this process holds is wanted now. */
  flushNow(): void {
    if (this.#buffer.length > 0 && this.#policy.flushesAtOnce) this.#flushSoon()
  }

  /**
   * The store answers again. What was not applied before or during the outage enters the history, and decides nothing;
   * and the next batch says how long ago the store was lost, so that failures from before do not count after it.
   */
  downgradeToHistory(): void {
    this.#buffer.downgradeToHistory()
    this.failuresInRow = 0
    this.#sender.downgradeToHistory()
  }

  /** Tells the store that it was lost, with an empty batch if there is no other; resolves as `drain`. */
  async reportOutage(): Promise<void> {
    // The batch that the outage held up goes first, and an attempt of it is under way: see `downgradeToHistory`.
    if (this.#mode === 'resending') await this.#attemptUnderWay()
    if (!this.#sender.owesOutage) return
    if (!this.busy) this.add(NOTHING, true)
    await this.drain()
  }

  /** Gives up: what was not applied is counted as lost. Returns how many outcomes that were. */
  stop(): number {
    this.#timer?.clear()
    this.#sender.wake()
    const lost = this.#lose(this.#buffer.take())
    // No batch comes any more that would answer them.
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new BusbarClosedError())
    this.#release()
    return lost
  }

  /** Bounds what waits: a full batch goes at once; where the store is away for long, the oldest is dropped. */
  #bound(): void {
    if (this.#buffer.length >= MAX_BATCH) this.#flushSoon()
    if (this.#buffer.length <= MAX_RUNS) return
    const lost = this.#lose(this.#buffer.take(MAX_BATCH))
    const fields = { provider: this.#session.id, outcomes: lost }
    this.#context.log.warn(fields, 'outbox full: the oldest outcomes were dropped')
  }

  #countFailures({ outcome, count, origin, generation }: Run): void {
    if (origin === 'probe' || !isCircuitOutcome(outcome)) return
    const { own } = this.#session
    if (isSuccess(outcome)) {
      this.failuresInRow = 0
      own.tried = true
    } else {
      own.failed(count, generation, this.failuresInRow === 0)
      this.failuresInRow += count
      this.#early.callFailed()
    }
  }

  #schedule(): void {
    const pauseMs = this.#policy.pauseMs()
    if (pauseMs <= 0) {
      this.#flushSoon()
      return
    }
    this.#timer = this.#context.timers.set(pauseMs, () => this.#flushSoon())
    if (this.#context.unref) this.#timer.unref()
  }

  #flushSoon(): void {
    this.#urgent = true
    this.#flushing ??= this.#flush()
  }

  async #flush(): Promise<void> {
    // Outcomes of this very turn come along.
    await Promise.resolve()
    while (this.#urgent && this.#buffer.length > 0) {
      this.#timer?.clear()
      this.#timer = undefined
      const runs = this.#buffer.take(MAX_BATCH)
      this.#urgent = this.#buffer.length > 0
      await this.#send(runs, this.#urgent ? [] : this.#waiters.splice(0))
    }
    // In the same turn as the last look: an outcome added after it finds no flush under way.
    this.#urgent = false
    this.#flushing = undefined
    this.#release()
    if (this.#buffer.length > 0 && this.#timer === undefined) this.#schedule()
  }

  async #send(runs: readonly OpenRun[], waiters: Waiter[]): Promise<void> {
    const result = await this.#sender.send(runs, (error) => {
      this.#failing = error
      for (const waiter of [...waiters.splice(0), ...this.#waiters.splice(0)]) waiter.reject(error)
      this.#release()
    })
    this.#failing = undefined
    if (result instanceof Error) {
      const fields = { err: result, provider: this.#session.id, outcomes: this.#lose(runs) }
      this.#context.log.warn(fields, 'outcomes could not be written')
      return
    }
    this.#policy.obey(result)
    for (const waiter of waiters) waiter.resolve()
    this.#release()
  }

  #attemptUnderWay(): Promise<void> {
    return new Promise((resolve) => this.#underway.push(resolve))
  }

  #release(): void {
    for (const resolve of this.#underway.splice(0)) resolve()
  }

  #lose(runs: readonly OpenRun[]): number {
    const lost = runs.reduce((sum, run) => sum + run.count, 0)
    this.#context.counters.outcomesLost += lost
    return lost
  }
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Runs in one batch at most: it bounds the time that a script holds Redis. */
const MAX_BATCH = 1_000
/** Runs that wait at most, while Redis is away. */
const MAX_RUNS = 10_000
