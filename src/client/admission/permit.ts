import { checkKeys } from '../../config/keys.js'
import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'
import type { Run } from '../../model/ports/store-requests.js'
import { askAgainInMs } from '../../rules/blocks.js'
import { OUTCOMES, type Outcome, type RefusalCode, type Source } from '../../model/words.js'
import { DEFAULT_THROTTLE_MS, MAX_THROTTLE_MS } from '../shared/retry-after.js'

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
  /**
   * Whole ms until the latest of all blocking deadlines; null when nothing ends it by itself. With `no_trial_free`: when it
   * makes sense to ask again, 1 000 at most, for a trial mostly ends sooner than its lease.
   */
  readonly retryAfterMs: number | null
  readonly source: Source
}

export interface SettleOptions {
  /** With `throttled`: how long the provider asked to be left alone, ms. 0 to 1 day, default 1 000. */
  readonly retryAfterMs?: number
  /** What was seen, in words: `HTTP 503`. At most 200 characters; it becomes part of the reason of a transition. */
  readonly detail?: string
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

/** How a call ended, checked. */
export interface CallEnd {
  readonly outcome: Outcome
  readonly retryAfterMs: number
  readonly detail: string
}

/** One outcome of a call, as the store takes it. Written out, as all on the way of every call: a spread costs microseconds. */
export const callRun = (ending: CallEnd, generation: number, token: string): Run => ({
  origin: 'call',
  outcome: ending.outcome,
  count: 1,
  generation,
  token,
  retryAfterMs: ending.retryAfterMs,
  settingsRevision: 0,
  markVersion: 0,
  detail: ending.detail,
  ageMs: 0,
})

/** Where a permit's ending goes. */
export type Send = (ending: CallEnd, generation: number, token: string) => Promise<void>

export class StoredPermit implements Permit {
  readonly generation: number
  readonly trial: boolean
  readonly #token: string
  readonly #send: Send
  #settled = false
  /** Told once, of the settling that counts. */
  onSettled: ((outcome: Outcome) => void) | undefined

  /** `token`: of the lease, when it holds one; else empty. */
  constructor(generation: number, token: string, send: Send) {
    this.generation = generation
    this.trial = token !== ''
    this.#token = token
    this.#send = send
  }

  async settle(outcome: Outcome, options: SettleOptions = {}): Promise<Settled> {
    const ending = checkCallEnd(outcome, options)
    if (this.#settled) return { applied: false }
    this.#settled = true
    this.onSettled?.(outcome)
    await this.#send(ending, this.generation, this.#token)
    return { applied: true }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#settled) return
    // An error here would take the place of what the scope of the permit returned or threw. The outbox counts it.
    await this.settle('ignored').catch(() => undefined)
  }
}

const SETTLE_OPTIONS = ['retryAfterMs', 'detail']
const MAX_DETAIL_LENGTH = 200

/** @throws ArgumentError naming what makes no sense. */
export function checkCallEnd(outcome: Outcome, options: SettleOptions): CallEnd {
  const fail = (path: string, expected: string, got: unknown) =>
    new ArgumentError(path, `${path}: expected ${expected}, got ${show(got)}`)
  if (!(OUTCOMES as readonly unknown[]).includes(outcome)) {
    throw fail('outcome', `one of ${OUTCOMES.join(', ')}`, outcome)
  }
  checkKeys(options, SETTLE_OPTIONS, 'an outcome')
  const { retryAfterMs = DEFAULT_THROTTLE_MS, detail = '' } = options
  if (!(typeof retryAfterMs === 'number' && retryAfterMs >= 0 && retryAfterMs <= MAX_THROTTLE_MS)) {
    throw fail('retryAfterMs', `a number from 0 to ${MAX_THROTTLE_MS}`, retryAfterMs)
  }
  if (typeof detail !== 'string' || detail.length > MAX_DETAIL_LENGTH) {
    throw fail('detail', `text of at most ${MAX_DETAIL_LENGTH} characters`, detail)
  }
  return {
    outcome,
    retryAfterMs: outcome === 'throttled' ? Math.ceil(retryAfterMs) : 0,
    detail: detail.toWellFormed(),
  }
}

/** A refusal is kept until the first lease ends; a caller is told to ask sooner, because the trial may end sooner. */
export const told = (refused: Refused): Refused => {
  const { code, retryAfterMs } = refused
  if (code !== 'no_trial_free' || retryAfterMs === null) return refused
  return { ...refused, retryAfterMs: askAgainInMs(retryAfterMs) }
}
