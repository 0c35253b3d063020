import { checkKeys } from '../../config/keys.js'
import { show } from '../../config/show.js'
import { ArgumentError, CallRefusedError } from '../../model/errors.js'
import type { Decision, CallEnd, Permit, Refused, SettleOptions } from '../admission/permit.js'
import { Call, type CallContext, type CallOptions, type ExecuteOptions, type MemberContext } from './call.js'
import type { Judgement, Verdict } from './classify.js'
import type { AdmissionGate } from '../admission/admission-gate.js'
import type { CallJudge } from './call-judge.js'
import type { ProcessContext } from '../context.js'
import { checkSignal } from '../shared/abort-signals.js'
import { DEFAULT_THROTTLE_MS } from '../shared/retry-after.js'

export type Guarded<T> = (context: CallContext) => T | Promise<T>
/** A function that a group calls, of one of its members at a time. */
export type GuardedMember<T> = (context: MemberContext) => T | Promise<T>

/** What becomes of a group's call that began `from` a member, and was no plain success. */
export interface Failover<F> {
  threw<T>(fn: GuardedMember<T>, from: F, error: unknown, judgement: Judgement): Promise<T>
  returned<T>(fn: GuardedMember<T>, from: F, result: T, judgement: Judgement): Promise<T>
}

/** What `execute` needs of a provider handle. */
export interface ExecuteTarget {
  readonly id: string
  readonly context: ProcessContext
  readonly gate: AdmissionGate
  readonly judge: CallJudge
  /** Whether a call's end is to wait until its outcome has been applied. */
  readonly waits: () => boolean
}

const EXECUTE_OPTIONS = ['timeoutMs', 'signal', 'fallback']

/** How a call was judged; left empty where it never began, and where there was nothing to judge. */
export interface CallOutcome {
  judgement?: Judgement
}

/** Calls `fn` once it is admitted, and says in `ended` how that ended. */
export type Begin = <T>(fn: GuardedMember<T>, options: CallOptions, ended: CallOutcome) => Promise<T>

/**
 * Admits, calls, classifies, settles. The store's own trouble is never the caller's error. `ownTimeoutMs`: that of the
 * handle, for calls that name none.
 */
export async function execute<T, F>(
  begin: Begin,
  fn: Guarded<T>,
  given: ExecuteOptions<F> = {},
  ownTimeoutMs?: number,
): Promise<T | F> {
  checkOptions(fn, given)
  const { signal, fallback, timeoutMs = ownTimeoutMs } = given
  const ended: CallOutcome = {}
  try {
    signal?.throwIfAborted()
    return await begin(fn, { signal, timeoutMs }, ended)
  } catch (error) {
    if (fallback === undefined || !fallsBack(ended, signal)) throw error
    return fallback(error)
  }
}

/** Nothing to fall back from: the caller gave up, or the caller's own request was wrong. */
function fallsBack({ judgement }: CallOutcome, signal: AbortSignal | undefined): boolean {
  if (judgement === undefined) return signal?.aborted !== true
  // The call ran out of time all the same, though the process stood still.
  if (judgement.because === 'stalled') return true
  return judgement.outcome !== 'client_error' && judgement.outcome !== 'ignored'
}

/** A call whose admission was asked for. */
export interface AskedCall<T> {
  readonly fn: GuardedMember<T>
  readonly options: CallOptions
  /** Takes how it ended. */
  readonly ended: CallOutcome
}

/** Waits for the admission, makes the call, and settles it. @throws CallRefusedError; whatever the function throws */
export async function guard<T>(
  target: ExecuteTarget,
  asked: AskedCall<T>,
  answer: Decision | Promise<Decision>,
): Promise<T> {
  const { calls } = target.context
  calls.count += 1
  try {
    const decision = answer instanceof Promise ? await answer : answer
    if (!decision.admitted) throw refusalOf(target.id, decision)
    return await run(target, asked, decision.permit)
  } finally {
    calls.end()
  }
}

/** The caller gets what `fn` returned or threw, whatever becomes of the outcome. */
async function run<T>(
  target: ExecuteTarget,
  { fn, options, ended }: AskedCall<T>,
  permit: Permit,
): Promise<T> {
  const { context, judge } = target
  const began = context.clock.now()
  const mark = context.calls.loop.markNow()
  const timing = () => ({ mark, elapsedMs: context.clock.now() - began, timeoutMs: options.timeoutMs })
  const call = new Call(target.id, options, context.deadlines)
  let result: T | undefined
  try {
    result = await call.run(fn, permit.trial)
    ended.judgement = judge.result(result, call, timing())
    const settled = settle(target, permit, ended.judgement)
    if (target.waits()) await settled
    return result
  } catch (error) {
    const { abortion } = call
    ended.judgement =
      abortion === undefined ? judge.error(error, call, timing()) : judge.abortion(abortion, timing())
    const settled = settle(target, permit, ended.judgement)
    if (target.waits()) await settled
    throw error
  } finally {
    call.end(result)
  }
}

/**
 * Rejects a turn later, when the caller has had time to attach a handler. Node keeps a book of promises that are
 * rejected before they are handled, and an entry in it costs more than the whole refusal.
 */
export async function rejectLater(error: Error): Promise<never> {
  await Promise.resolve()
  throw error
}

/** An expected refusal needs no stack, and capturing one costs more than the rest of it. */
export function refusalOf(id: string, { code, reason, retryAfterMs }: Refused): CallRefusedError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new CallRefusedError(id, code, reason, retryAfterMs)
  Error.stackTraceLimit = stackTraceLimit
  return error
}

/** A verdict was checked when it was made. */
export const endingOf = ({ outcome, retryAfterMs, detail = '' }: Verdict): CallEnd => ({
  outcome,
  retryAfterMs: outcome === 'throttled' ? (retryAfterMs ?? DEFAULT_THROTTLE_MS) : 0,
  detail,
})

/** Never rejects: an outcome that cannot be written is counted and logged. */
async function settle(target: ExecuteTarget, permit: Permit, verdict: Verdict): Promise<void> {
  const { outcome } = verdict
  try {
    const { applied } = await permit.settle(outcome, settleOptions(verdict))
    // `close()` gave the lease of a trial back meanwhile.
    if (!applied) target.context.counters.outcomesLost += 1
  } catch (error) {
    target.context.log.warn({ err: error, provider: target.id, outcome }, 'an outcome could not be written')
  }
}

/** An option that is undefined is none. */
const settleOptions = ({ retryAfterMs, detail = '' }: Verdict): SettleOptions =>
  retryAfterMs === undefined ? { detail } : { retryAfterMs, detail }

function checkOptions(fn: unknown, options: ExecuteOptions<unknown>): void {
  if (typeof fn !== 'function') throw new ArgumentError('fn', `fn: expected a function, got ${typeof fn}`)
  checkKeys(options, EXECUTE_OPTIONS, 'execute')
  checkTimeout(options.timeoutMs)
  checkSignal(options.signal)
}

const MAX_TIMEOUT_MS = 86_400_000

/** @throws ArgumentError */
export function checkTimeout(timeoutMs: unknown): void {
  if (timeoutMs === undefined) return
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
    const bounds = `from 1 to ${MAX_TIMEOUT_MS}`
    throw new ArgumentError('timeoutMs', `timeoutMs: expected a number ${bounds}, got ${show(timeoutMs)}`)
  }
}
