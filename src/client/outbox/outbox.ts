import { BusbarClosedError, isBusbarError, redisFailure } from '../../model/errors.js'
import type { RecordResult, Run, Timer } from '../../model/ports.js'
import { isCircuitOutcome, isSuccess } from '../../model/words.js'
import { bucketMs } from '../../rules/history.js'
import { EarlyProbe } from './early-probe.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'

/**
 * A process's outcomes for one provider, on their way to the store, in order.
 *
 * It trades a bounded delay of good news for the round trip. Outcomes are kept as runs of equal ones, so that a
 * thousand successes cost what one costs. One batch is under way at a time; what comes meanwhile waits for the next
 * and goes as one (group commit).
 *
 * When it flushes: at once for an outcome that is urgent (a failure, a pause, a trial's result, anything while the
 * circuit is not closed), for every outcome in strict mode, and at `MAX_BATCH` runs; else once in `flushIntervalMs`. A
 * flush carries everything before the failure, in order, so that the mixed traffic of many workers does not look like
 * a run of failures. The store may
 * ask for more patience: its reply names the pause until the next flush, and the share of the workers whose failures
 * are urgent, so that a provider costs its Redis a bounded number of batches, whatever the size of the fleet. Which
 * workers these are is drawn once: the first failure of a worker brings older successes along, and only who goes on
 * telling can show that nothing but failures follows.
 *
 * A batch is known by (incarnation, sequence), so it may be sent again when its reply did not come: the store
 * applies it once. It is sent again for `RESEND_FOR_MS`, unless its error is final: then it is given up at once, and what
 * is behind it goes on. What is dropped, also because more than `MAX_RUNS` runs
 * wait, is counted in `outcomesLost` and logged. A process that is killed loses what it has not sent.
 */
export class Outbox {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #early: EarlyProbe
  #runs: OpenRun[] = []
  #waiters: Waiter[] = []
  #last: OpenRun | undefined
  #timer: Timer | undefined
  #flushing: Promise<void> | undefined
  #urgent = false
  #sequence = 0
  /** While a batch is being sent again: nobody waits behind it, whoever comes is told at once. */
  #failing: Error | undefined
  /** What the store asked for; see `RecordResult`. */
  #notBefore: number | undefined
  #urgentShare = 1
  /** 0 to 1. Below `#urgentShare`, this worker's failures are urgent. */
  readonly #draw = Math.random()
  /** 0 to 1: where in `flushIntervalMs` this worker's turns are. */
  readonly #phase = Math.random()
  /** The batch under way, until it is applied or given up. */
  #sending: readonly OpenRun[] = []
  /** Which outage the store has not been told of yet. */
  #outage: number | undefined
  /** Ends the pause before a batch is sent again. */
  #wake: (() => void) | undefined
  /** Failures of calls in this process since its last success. */
  failuresInRow = 0

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
    this.#early = new EarlyProbe(context, session)
  }

  /** A success of a call without a lease: the hot path. Allocates nothing while the run goes on. */
  healthy(generation: number): void {
    this.failuresInRow = 0
    const last = this.#last
    if (last !== undefined && last.plain && last.generation === generation) last.count += 1
    else this.#append(opened(HEALTHY, true, this.#context.clock.now(), generation))
    if (this.#timer === undefined && this.#flushing === undefined) this.#schedule()
  }

  /** An outcome that may wait, or not. True when it goes at once. */
  add(run: Run, atOnce = false): boolean {
    this.#countFailures(run)
    const last = this.#last
    const at = this.#context.clock.now()
    if (last !== undefined && mergeable(last, run) && !this.#outgrown(last, at)) last.count += run.count
    else {
      const plain = run.outcome === 'healthy' && run.token === '' && run.origin === 'call'
      this.#append(opened(run, plain, at))
    }
    if (atOnce || this.#isUrgent(run)) {
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

  /** Resolves when everything added before has been applied, or its first attempt has failed. */
  async drain(): Promise<void> {
    if (this.#runs.length > 0) {
      this.#flushSoon()
      await this.attempted().catch(() => undefined)
    } else if (this.#flushing !== undefined && this.#failing === undefined) {
      await new Promise<void>((resolve) => this.#underway.push(resolve))
    }
  }

  /** The fleet suspects the provider: what this process holds is wanted now. */
  flushNow(): void {
    if (this.#runs.length > 0 && this.#draw < this.#urgentShare) this.#flushSoon()
  }

  /**
   * The store answers again. What was not applied before or during the outage enters the history, and decides nothing;
   * and the next batch says how long ago the store was lost, so that failures from before do not count after it.
   */
  downgradeToHistory(): void {
    for (const run of [...this.#sending, ...this.#runs]) run.generation = 0
    this.#outage = this.#context.watch.outages
    this.failuresInRow = 0
    this.#wake?.()
  }

  /** Tells the store that it was lost, with an empty batch if there is no other; resolves as `drain`. */
  async reportOutage(): Promise<void> {
    // The batch that the outage held up goes first, and an attempt of it is under way: see `demote`.
    if (this.#failing !== undefined) await new Promise<void>((resolve) => this.#underway.push(resolve))
    if (this.#outage === undefined) return
    if (!this.busy) this.add(NOTHING, true)
    await this.drain()
  }

  /** Whether anything has not been applied yet. */
  get busy(): boolean {
    return this.#flushing !== undefined || this.#runs.length > 0
  }

  /** Gives up: what was not applied is counted as lost. Returns how many outcomes that were. */
  stop(): number {
    this.#timer?.clear()
    this.#wake?.()
    const lost = this.#lose(this.#runs.splice(0))
    // No batch comes any more that would answer them.
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new BusbarClosedError())
    this.#release()
    return lost
  }

  /** Those who wait for the batch that is under way, which may have begun before they came. */
  readonly #underway: (() => void)[] = []

  /** The first attempt of everything added so far, once it goes. */
  attempted(): Promise<void> {
    if (this.#failing !== undefined) return Promise.reject(this.#failing)
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  #append(run: OpenRun): void {
    this.#runs.push(run)
    this.#last = run
    if (this.#runs.length >= MAX_BATCH) this.#flushSoon()
    if (this.#runs.length > MAX_RUNS) {
      const lost = this.#lose(this.#runs.splice(0, MAX_BATCH))
      this.#context.log.warn(
        { provider: this.#session.id, outcomes: lost },
        'outbox full: the oldest outcomes were dropped',
      )
    }
  }

  /** What waits for the store to come back enters the history at its time, so its runs grow no longer than those there. */
  #outgrown(last: OpenRun, at: number): boolean {
    return last.generation === 0 && at - last.at >= bucketMs(this.#session.settings.settings.history)
  }

  #countFailures({ outcome, count, origin }: Run): void {
    if (origin === 'probe' || !isCircuitOutcome(outcome)) return
    if (isSuccess(outcome)) this.failuresInRow = 0
    else {
      this.failuresInRow += count
      this.#early.callFailed()
    }
  }

  #isUrgent(run: Run): boolean {
    if (run.token !== '' || run.outcome === 'throttled' || run.origin === 'probe') return true
    const failed = isCircuitOutcome(run.outcome) && !isSuccess(run.outcome)
    return failed && this.#draw < this.#urgentShare
  }

  #schedule(): void {
    const now = this.#context.clock.now()
    if (this.#notBefore === undefined) this.#notBefore = this.#nextTurn(now)
    const pauseMs = this.#notBefore - now
    // After a longer silence the first goes at once: the less a worker holds, the less old news its failure brings.
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
    while (this.#urgent && this.#runs.length > 0) {
      this.#timer?.clear()
      this.#timer = undefined
      const runs = this.#runs.splice(0, MAX_BATCH)
      this.#urgent = this.#runs.length > 0
      if (!this.#urgent) this.#last = undefined
      this.#sending = runs
      await this.#send(runs, this.#urgent ? [] : this.#waiters.splice(0))
      this.#sending = []
    }
    // In the same turn as the last look: an outcome added after it finds no flush under way.
    this.#urgent = false
    this.#flushing = undefined
    this.#release()
    if (this.#runs.length > 0 && this.#timer === undefined) this.#schedule()
  }

  /** Sends one batch until it is applied, or given up. */
  async #send(runs: readonly OpenRun[], waiters: readonly Waiter[]): Promise<void> {
    this.#sequence += 1
    const sequence = this.#sequence
    const { clock, log } = this.#context
    const giveUpAt = clock.now() + RESEND_FOR_MS
    let waiting = waiters
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#obey(await this.#record(runs, sequence, attempt > 0))
        this.#failing = undefined
        for (const waiter of waiting) waiter.resolve()
        this.#release()
        return
      } catch (error) {
        for (const waiter of waiting) waiter.reject(error)
        waiting = []
        this.#failing = error instanceof Error ? error : new Error(String(error))
        for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
        this.#release()
        if (isFinal(error) || this.#context.closed || clock.now() > giveUpAt) {
          const lost = this.#lose(runs)
          this.#failing = undefined
          log.warn(
            { err: error, provider: this.#session.id, outcomes: lost },
            'outcomes could not be written',
          )
          return
        }
      }
      await this.#pause(Math.min(50 * 2 ** attempt, MAX_PAUSE_MS) * (0.5 + Math.random()))
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#context.timers.set(ms, resolve).unref()
      this.#wake = () => {
        timer.clear()
        resolve()
      }
    })
  }

  async #record(runs: readonly OpenRun[], sequence: number, resent: boolean): Promise<RecordResult> {
    const { clock, incarnation, flushIntervalMs, maxBatchesPerSecond, watch } = this.#context
    const outage = this.#outage
    const result = await this.#session.run('record', (store) => {
      const { caller } = this.#session
      return store.record(this.#session.id, {
        worker: caller.worker,
        knownVersion: caller.knownVersion,
        incarnation,
        sequence,
        resent,
        flushIntervalMs,
        maxBatchesPerSecond,
        notAfterMs: this.#session.notAfterMs,
        lostMsAgo: outage === undefined ? null : watch.lostMsAgo,
        jitterDraw: Math.random(),
        runs: runs.map((run) => asSent(run, clock.now())),
      })
    })
    // Another outage may have come meanwhile.
    if (this.#outage === outage) this.#outage = undefined
    return result
  }

  #obey({ waitMs, urgentShare }: RecordResult): void {
    const { clock, flushIntervalMs } = this.#context
    const now = clock.now()
    this.#notBefore = waitMs > flushIntervalMs ? now + waitMs : this.#nextTurn(now)
    this.#urgentShare = urgentShare
  }

  /**
   * Where the store asks for no patience, flushes are on a grid of one's own. Workers that begin together, or that a
   * closing circuit lets go together, would otherwise flush together for ever, with nothing but failures between.
   */
  #nextTurn(now: number): number {
    const { flushIntervalMs } = this.#context
    const phase = this.#phase * flushIntervalMs
    return (Math.floor((now - phase) / flushIntervalMs) + 1) * flushIntervalMs + phase
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

/** A run that may still grow. `plain`: a success without a lease, of a call. */
interface OpenRun extends Omit<Run, 'count' | 'generation'> {
  count: number
  /** 0 once it is to decide nothing. */
  generation: number
  readonly plain: boolean
  /** When its first outcome came, on the process's clock. */
  readonly at: number
}

/** Written out, as `asSent`: strict mode does it for every call, and a spread costs microseconds. */
const opened = (run: Run, plain: boolean, at: number, generation = run.generation): OpenRun => ({
  origin: run.origin,
  outcome: run.outcome,
  count: run.count,
  generation,
  token: run.token,
  retryAfterMs: run.retryAfterMs,
  settingsRevision: run.settingsRevision,
  markVersion: run.markVersion,
  detail: run.detail,
  ageMs: run.ageMs,
  plain,
  at,
})

/** With how long ago it was, for the history, if it is not to decide anything: then it has waited for the store. */
const asSent = (run: OpenRun, now: number): Run => ({
  origin: run.origin,
  outcome: run.outcome,
  count: run.count,
  generation: run.generation,
  token: run.token,
  retryAfterMs: run.retryAfterMs,
  settingsRevision: run.settingsRevision,
  markVersion: run.markVersion,
  detail: run.detail,
  ageMs: run.generation === 0 ? Math.max(0, Math.round(now - run.at)) : 0,
})

const HEALTHY = {
  origin: 'call',
  outcome: 'healthy',
  count: 1,
  generation: 0,
  token: '',
  retryAfterMs: 0,
  settingsRevision: 0,
  markVersion: 0,
  detail: '',
  ageMs: 0,
} as const

/** No outcome at all. */
const NOTHING = { ...HEALTHY, outcome: 'ignored', count: 0, generation: 0 } as const

/** Runs in one batch at most: it bounds the time that a script holds Redis. */
const MAX_BATCH = 1_000
/** Runs that wait at most, while Redis is away. */
const MAX_RUNS = 10_000
/** A batch is sent again for so long, ms; the store's book remembers longer. */
const RESEND_FOR_MS = 60_000
const MAX_PAUSE_MS = 1_000

/**
 * What no repetition mends: an error that Redis answers with for good, a provider that was removed, a closed busbar. The
 * batch is given up as a whole: a script that fails half-way has written something, so parts of it sent again could be
 * counted twice.
 */
const isFinal = (error: unknown): boolean => {
  const failure = redisFailure(error)
  return failure === undefined ? !isBusbarError(error, 'command_late') : failure === 'permanent'
}

const mergeable = (a: OpenRun, b: Run): boolean =>
  a.origin === 'call' &&
  b.origin === 'call' &&
  a.outcome === b.outcome &&
  a.generation === b.generation &&
  a.token === '' &&
  b.token === '' &&
  a.retryAfterMs === b.retryAfterMs &&
  a.detail === b.detail
