import { checkKeys } from '../config/keys.js'
import { show } from '../config/show.js'
import { ArgumentError, CallRefusedError, CallTimeoutError } from '../model/errors.js'
import type { Decision, Ending, Permit, Refused, SettleOptions } from './admission.js'
import { Call, type CallContext, type ExecuteOptions } from './call.js'
import { classifyError, classifyResult, DEFAULT_THROTTLE_MS, readVerdict } from './classify.js'
import type { Classify, Verdict } from './classify.js'
import type { Gate } from './gate.js'
import type { Host } from './link.js'
import type { VerdictCheck } from './verdict-check.js'

export type Guarded<T> = (context: CallContext) => T | Promise<T>

/** What `execute` needs of a provider handle. */
export interface ExecuteTarget {
  readonly id: string
  readonly host: Host
  readonly gate: Gate
  readonly classify: Classify | undefined
  readonly verdicts: VerdictCheck
  readonly slowMs: number | undefined
  /** Whether a call's end is to wait until its outcome has been applied. */
  readonly waits: () => boolean
}

const EXECUTE_OPTIONS = ['timeoutMs', 'signal', 'fallback']
const MAX_TIMEOUT_MS = 86_400_000

/**
 * Admits, calls, classifies, settles. The store's own trouble is never the caller's error. `begin` calls `fn` once it is
 * admitted.
 */
export async function execute<T, F>(
  begin: (fn: Guarded<T>, options: ExecuteOptions<F>) => Promise<T>,
  fn: Guarded<T>,
  options: ExecuteOptions<F> = {},
): Promise<T | F> {
  checkOptions(fn, options)
  const { signal, fallback } = options
  try {
    signal?.throwIfAborted()
    return await begin(fn, options)
  } catch (error) {
    if (fallback === undefined || signal?.aborted === true) throw error
    return fallback(error)
  }
}

/** A call whose admission was asked for. */
export async function guard<T>(
  target: ExecuteTarget,
  fn: Guarded<T>,
  options: ExecuteOptions<unknown>,
  answer: Decision | Promise<Decision>,
): Promise<T> {
  const { calls } = target.host
  calls.count += 1
  try {
    const decision = answer instanceof Promise ? await answer : answer
    if (!decision.admitted) throw refusalOf(target.id, decision)
    return await run(target, fn, options, decision.permit)
  } finally {
    calls.end()
  }
}

/** The caller gets what `fn` returned or threw, whatever becomes of the outcome. */
async function run<T>(
  target: ExecuteTarget,
  fn: Guarded<T>,
  options: ExecuteOptions<unknown>,
  permit: Permit,
): Promise<T> {
  const { clock, deadlines } = target.host
  const began = clock.now()
  const call = new Call(target.id, options, deadlines)
  try {
    const result = await call.run(fn, permit.trial)
    const settled = settle(target, permit, judgeResult(target, result, clock.now() - began))
    if (target.waits()) await settled
    return result
  } catch (error) {
    const settled = settle(target, permit, judgeThrown(target, call, error))
    if (target.waits()) await settled
    throw error
  } finally {
    call.end()
  }
}

/** What `call` ended with, that threw. */
export const judgeThrown = (target: ExecuteTarget, call: Call, error: unknown): Verdict =>
  call.abortedByCaller ? { outcome: 'ignored' } : judgeError(target, error)

/** An expected refusal needs no stack, and capturing one costs more than the rest of it. */
export function refusalOf(id: string, { code, reason, retryAfterMs }: Refused): CallRefusedError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new CallRefusedError(id, code, reason, retryAfterMs)
  Error.stackTraceLimit = stackTraceLimit
  return error
}

/** Never throws, whatever `fn` returned. */
export function judgeResult(target: ExecuteTarget, result: unknown, elapsedMs: number): Verdict {
  const said = askUser(target, result, undefined)
  if (said !== undefined) return said
  const verdict = readSafely(target, { outcome: 'healthy' }, () => classifyResult(result))
  const slow = target.slowMs !== undefined && elapsedMs > target.slowMs
  return slow && verdict.outcome === 'healthy' ? { outcome: 'degraded' } : verdict
}

/** Never throws, whatever `fn` threw. */
export function judgeError(target: ExecuteTarget, error: unknown): Verdict {
  if (isCallTimeout(error)) {
    return { outcome: 'timeout', detail: `no result within ${error.timeoutMs} ms` }
  }
  const said = askUser(target, undefined, error)
  return said ?? readSafely(target, { outcome: 'unhealthy' }, () => classifyError(error))
}

function isCallTimeout(error: unknown): error is CallTimeoutError {
  try {
    return error instanceof CallTimeoutError
  } catch {
    return false // a proxy that cannot be looked at is none
  }
}

/** Reads an object of the user's, whose getters may throw: that is no reason to give the caller another error. */
function readSafely(target: ExecuteTarget, otherwise: Verdict, read: () => Verdict): Verdict {
  try {
    return read()
  } catch (failure) {
    const { counters, log } = target.host
    counters.callbacksFailed += 1
    log.warn({ err: failure, provider: target.id }, 'what a call returned or threw could not be read')
    return otherwise
  }
}

function askUser(target: ExecuteTarget, result: unknown, error: unknown): Verdict | undefined {
  if (target.classify === undefined) return undefined
  const failed = (failure: unknown): void => {
    target.host.counters.callbacksFailed += 1
    target.host.log.error({ err: failure, provider: target.id }, 'classify failed')
  }
  try {
    const said: unknown = target.classify(result, error)
    target.verdicts.check(said)
    return readVerdict(said)
  } catch (failure) {
    failed(failure)
    return undefined
  }
}

/** A verdict was checked when it was made. */
export const endingOf = ({ outcome, retryAfterMs, detail = '' }: Verdict): Ending => ({
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
    if (!applied) target.host.counters.outcomesLost += 1
  } catch (error) {
    target.host.log.warn({ err: error, provider: target.id, outcome }, 'an outcome could not be written')
  }
}

/** An option that is undefined is none. */
const settleOptions = ({ retryAfterMs, detail = '' }: Verdict): SettleOptions =>
  retryAfterMs === undefined ? { detail } : { retryAfterMs, detail }

function checkOptions(fn: unknown, options: ExecuteOptions<unknown>): void {
  if (typeof fn !== 'function') throw new ArgumentError('fn', `fn: expected a function, got ${typeof fn}`)
  checkKeys(options, EXECUTE_OPTIONS, 'execute')
  const { timeoutMs } = options
  if (timeoutMs === undefined) return
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
    const bounds = `from 1 to ${MAX_TIMEOUT_MS}`
    throw new ArgumentError('timeoutMs', `timeoutMs: expected a number ${bounds}, got ${show(timeoutMs)}`)
  }
}
