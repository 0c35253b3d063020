import { isBusbarError, redisFailure } from '../../model/errors.js'
import type { RecordResult } from '../../model/ports/store-replies.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { asSent, type OpenRun } from './open-run.js'

/**
 * Sends batches to the store, one at a time.
 *
 * A batch is known by (incarnation, sequence), so it may be sent again when its reply did not come: the store applies it
 * once. It is sent again for `RESEND_FOR_MS`, unless its error is final: then it is given up at once, and what is behind it
 * goes on.
 */
export class BatchSender {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #inARow: () => number
  #sequence = 0
  /** The batch under way, until it is applied or given up. */
  #sending: readonly OpenRun[] = []
  /** Which outage the store has not been told of yet. */
  #outage: number | undefined
  /** Ends the pause before a batch is sent again. */
  #wake: (() => void) | undefined

  /** `inARow`: failures of calls in this process since its last success. */
  constructor(context: ProcessContext, session: ProviderSession, inARow: () => number) {
    this.#inARow = inARow
    this.#context = context
    this.#session = session
  }

  /** The batch under way; empty where none is. */
  get underWay(): readonly OpenRun[] {
    return this.#sending
  }

  /** Whether the store is to be told that it was lost. */
  get owesOutage(): boolean {
    return this.#outage !== undefined
  }

  /**
   * Sends one batch until it is applied, or given up. `failed`: called with the error of each attempt.
   * @returns what the store answered; the error with which the batch was given up.
   */
  async send(runs: readonly OpenRun[], failed: (error: Error) => void): Promise<RecordResult | Error> {
    this.#sending = runs
    this.#sequence += 1
    const sequence = this.#sequence
    const { clock } = this.#context
    const giveUpAt = clock.now() + RESEND_FOR_MS
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.#record(runs, sequence, attempt > 0)
        } catch (thrown) {
          const error = thrown instanceof Error ? thrown : new Error(String(thrown))
          failed(error)
          if (isFinal(error) || this.#context.closed || clock.now() > giveUpAt) return error
        }
        await this.#pause(Math.min(50 * 2 ** attempt, MAX_PAUSE_MS) * (0.5 + Math.random()))
      }
    } finally {
      this.#sending = []
    }
  }

  /** The store answers again. What is under way enters the history and decides nothing, and is sent again at once. */
  downgradeToHistory(): void {
    for (const run of this.#sending) run.generation = 0
    this.#outage = this.#context.watch.outages
    this.wake()
  }

  /** Sends again at once what waits to be sent again. */
  wake(): void {
    this.#wake?.()
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
    const { own } = this.#session
    const quorum = own.quorumSet ? own.report(this.#inARow()) : undefined
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
        failureDomain: quorum && this.#context.failureDomain,
        tried: quorum && own.tried,
        ownFailures: quorum?.failures,
        ownSinceMs: quorum?.sinceMs,
        // As it was told: a lease that is prolonged is not announced, and its end is.
        viewed: (this.#session.cache.held?.viewedForMs ?? 0) > 0,
        jitterDraw: Math.random(),
        runs: runs.map((run) => asSent(run, clock.now())),
      })
    })
    // Another outage may have come meanwhile.
    if (this.#outage === outage) this.#outage = undefined
    return result
  }
}

/** A batch is sent again for so long, ms; the store's book remembers longer. */
const RESEND_FOR_MS = 60_000
const MAX_PAUSE_MS = 1_000

/**
 * Errors that no repetition mends: one that Redis answers with for good, a provider that was removed, a closed busbar. The
 * batch is given up as a whole: a script that fails half-way has written something, so parts of it sent again could be
 * counted twice.
 */
const isFinal = (error: unknown): boolean => {
  const failure = redisFailure(error)
  return failure === undefined ? !isBusbarError(error, 'command_late') : failure === 'permanent'
}
