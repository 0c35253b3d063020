import { ArgumentError } from '../model/errors.js'
import { OUTCOMES, type Outcome, type RefusalCode, type Source } from '../model/words.js'
import { DEFAULT_THROTTLE_MS, MAX_THROTTLE_MS } from './classify.js'

/** What `admit()` answers: a value, not an exception. */
export type Decision = Admitted | Refused

export interface Admitted {
  readonly admitted: true
  /** To be settled once, with how the call ended. */
  readonly permit: Permit
  readonly source: Source
  /** With `enforce: false`: why this call would have been refused. */
  readonly wouldRefuse?: RefusalCode
}

export interface Refused {
  readonly admitted: false
  readonly code: RefusalCode
  /** The same in words, for a log. */
  readonly reason: string
  /** ms until the latest of all blocking deadlines; null when none is known. */
  readonly retryAfterMs: number | null
  readonly source: Source
}

export interface SettleOptions {
  /** With `throttled`: how long the provider asked to be left alone, ms. 0 to 1 day, default 1 000. */
  readonly retryAfterMs?: number
}

export interface Settled {
  /** False for every settle but the first, which alone counts. */
  readonly applied: boolean
}

/** Leave to make one call. Disposed of unsettled, it settles as `ignored`. */
export interface Permit extends AsyncDisposable {
  /** The result decides only while the circuit is in this generation; later it enters the history alone. */
  readonly generation: number
  /** Whether this is a trial of a half-open circuit, which holds one of the fleet's slots. */
  readonly trial: boolean
  /**
   * Tells how the call ended.
   * @throws ArgumentError for an unknown outcome; RedisUnavailableError when the outcome could not be written.
   */
  settle(outcome: Outcome, options?: SettleOptions): Promise<Settled>
}

type Send = (outcome: Outcome, retryAfterMs: number) => Promise<void>

export class StoredPermit implements Permit {
  readonly generation: number
  readonly trial: boolean
  readonly #send: Send
  #settled = false

  constructor(generation: number, trial: boolean, send: Send) {
    this.generation = generation
    this.trial = trial
    this.#send = send
  }

  async settle(outcome: Outcome, options: SettleOptions = {}): Promise<Settled> {
    checkOutcome(outcome)
    const retryAfterMs = checkRetryAfter(outcome, options.retryAfterMs)
    if (this.#settled) return { applied: false }
    this.#settled = true
    await this.#send(outcome, retryAfterMs)
    return { applied: true }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#settled) await this.settle('ignored')
  }
}

export function checkOutcome(outcome: unknown): void {
  if (!(OUTCOMES as readonly unknown[]).includes(outcome)) {
    throw new ArgumentError(
      'outcome',
      `outcome: expected one of ${OUTCOMES.join(', ')}, got ${String(outcome)}`,
    )
  }
}

export function checkRetryAfter(outcome: Outcome, retryAfterMs: unknown): number {
  if (retryAfterMs === undefined) return outcome === 'throttled' ? DEFAULT_THROTTLE_MS : 0
  const sane = typeof retryAfterMs === 'number' && retryAfterMs >= 0 && retryAfterMs <= MAX_THROTTLE_MS
  if (!sane) {
    const bounds = `from 0 to ${MAX_THROTTLE_MS}`
    throw new ArgumentError(
      'retryAfterMs',
      `retryAfterMs: expected a number ${bounds}, got ${String(retryAfterMs)}`,
    )
  }
  return outcome === 'throttled' ? Math.ceil(retryAfterMs) : 0
}
