import { checkKeys } from '../../config/keys.js'
import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'
import { OUTCOMES, type Outcome } from '../../model/words.js'
import type { GuardedMember } from '../call/execute.js'
import { checkTimeout } from '../call/execute.js'
import { checkSignal } from '../shared/abort-signals.js'

/** How an attempt ended that was no success. `refusal`: the call was not made. */
export type GroupFailure = Outcome | 'refusal'

/** What `failoverOn` is told of an attempt. */
export interface FailoverContext {
  readonly id: string
  readonly outcome: GroupFailure
  /** 1 for the first call of the function. */
  readonly attempt: number
}

/**
 * Which failures go to the next member: a list of them in place of the usual one, or a function, which leaves the decision
 * to the usual list where it answers undefined. `error` is undefined where the function returned an answer that was judged.
 */
export type FailoverOn =
  readonly GroupFailure[] | ((error: unknown, context: FailoverContext) => boolean | undefined)

export interface GroupOptions {
  /** So many members stay admissible however they are; marks by hand still refuse. 0 to 1 000, default 0. */
  readonly minAvailable?: number | undefined
}

export interface GroupOrderOptions {
  /** Calls of one key go to one member, as long as it is well; default: at random, by weight. */
  readonly key?: string | undefined
}

export interface GroupAdmitOptions extends GroupOrderOptions {
  /** Ids of members that are left out, such as those tried before. */
  readonly exclude?: Iterable<string> | undefined
}

export interface GroupExecuteOptions extends GroupOrderOptions {
  /** The caller's: aborting it ends the call and the search, and `execute` rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Each attempt ends as `timeout` after this long, ms. 1 ms to 1 day, default that of the member's handle, else never. */
  readonly timeoutMs?: number | undefined
  /** Calls of the function at most; a refusal is none. 1 to 1 000, default: one for each member. */
  readonly maxAttempts?: number | undefined
  /** Default: a refusal, `unhealthy`, `timeout`, `throttled` and `terminated`. Never the caller's own abort. */
  readonly failoverOn?: FailoverOn | undefined
}

const ORDER_OPTIONS = ['key']
const ADMIT_OPTIONS = ['key', 'exclude']
const EXECUTE_OPTIONS = ['key', 'signal', 'timeoutMs', 'maxAttempts', 'failoverOn']
const FAILURES: readonly unknown[] = [...OUTCOMES, 'refusal']
const MAX_ATTEMPTS = 1_000

const fail = (path: string, expected: string, got: unknown) =>
  new ArgumentError(path, `${path}: expected ${expected}, got ${show(got)}`)

/** @throws ArgumentError */
export function checkOrder(options: GroupOrderOptions): void {
  checkKeys(options, ORDER_OPTIONS, 'order')
  checkKey(options.key)
}

/** @throws ArgumentError */
export function checkAdmit(options: GroupAdmitOptions): ReadonlySet<string> {
  checkKeys(options, ADMIT_OPTIONS, 'admit')
  const { exclude = [] } = options
  checkKey(options.key)
  const listed: unknown = exclude
  if (typeof listed !== 'object' || listed === null || !(Symbol.iterator in listed))
    throw fail('exclude', 'a list of ids', exclude)
  return new Set(exclude)
}

/** @throws ArgumentError */
export function checkExecute(fn: GuardedMember<unknown>, options: GroupExecuteOptions): void {
  if (typeof fn !== 'function') throw new ArgumentError('fn', `fn: expected a function, got ${typeof fn}`)
  checkKeys(options, EXECUTE_OPTIONS, 'execute')
  const { key, signal, timeoutMs, maxAttempts, failoverOn } = options
  checkKey(key)
  checkSignal(signal)
  checkTimeout(timeoutMs)
  if (maxAttempts !== undefined && !isCount(maxAttempts))
    throw fail('maxAttempts', `a whole number from 1 to ${MAX_ATTEMPTS}`, maxAttempts)
  if (failoverOn !== undefined) checkFailover(failoverOn)
}

function checkKey(key: unknown): void {
  if (key !== undefined && typeof key !== 'string') throw fail('key', 'text', key)
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= MAX_ATTEMPTS

function checkFailover(failoverOn: FailoverOn): void {
  if (typeof failoverOn === 'function') return
  const words = `a function, or a list of ${FAILURES.join(', ')}`
  if (!Array.isArray(failoverOn)) throw fail('failoverOn', words, failoverOn)
  const wrong = failoverOn.findIndex((word) => !FAILURES.includes(word))
  if (wrong >= 0) throw fail(`failoverOn.${wrong}`, `one of ${FAILURES.join(', ')}`, failoverOn[wrong])
}
