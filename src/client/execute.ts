import { checkKeys } from '../config/keys.js'
import { show } from '../config/show.js'
import { ArgumentError, CallRefusedError, CallTimeoutError } from '../model/errors.js'
import type { Decision } from './admission.js'
import { classifyError, classifyResult, readVerdict, type Classify, type Verdict } from './classify.js'
import type { Host } from './link.js'
import { onRejection } from './log.js'

/** What a guarded function is given. */
export interface CallContext {
  /** Aborted when the call runs past `timeoutMs`, or when the caller aborts. */
  readonly signal: AbortSignal
  /** Whether this call is the trial of a half-open circuit. */
  readonly trial: boolean
}

export interface ExecuteOptions<F = never> {
  /** The call ends as `timeout` after this long, ms. 1 ms to 1 day, default: never. */
  readonly timeoutMs?: number | undefined
  /** The caller's: aborting it ends the call as `ignored`, and `execute` rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Answers in place of an error: a refusal, a failure or a timeout. Not when the caller aborted. */
  readonly fallback?: ((error: unknown) => F | Promise<F>) | undefined
}

export type Guarded<T> = (context: CallContext) => T | Promise<T>

/** What `execute` needs of a provider handle. */
export interface ExecuteTarget {
  readonly id: string
  readonly host: Host
  readonly classify: Classify | undefined
  readonly slowMs: number | undefined
  admit(timeoutMs: number | undefined): Promise<Decision>
}

const EXECUTE_OPTIONS = ['timeoutMs', 'signal', 'fallback']
const MAX_TIMEOUT_MS = 86_400_000

/** Admits, calls, classifies, settles. The store's own trouble is never the caller's error. */
export async function execute<T, F>(
  target: ExecuteTarget,
  fn: Guarded<T>,
  options: ExecuteOptions<F> = {},
): Promise<T | F> {
  checkOptions(fn, options)
  const { signal, fallback } = options
  try {
    signal?.throwIfAborted()
    return await guard(target, fn, options)
  } catch (error) {
    if (fallback === undefined || signal?.aborted === true) throw error
    return fallback(error)
  }
}

async function guard<T>(target: ExecuteTarget, fn: Guarded<T>, options: ExecuteOptions<unknown>): Promise<T> {
  const decision = await target.admit(options.timeoutMs)
  if (!decision.admitted) {
    throw new CallRefusedError(target.id, decision.code, decision.reason, decision.retryAfterMs)
  }
  const { permit } = decision
  const { clock } = target.host
  const began = clock.now()
  const call = new Call(target.id, options)
  try {
    const result = await call.run(fn, permit.trial)
    const verdict = judgeResult(target, result, clock.now() - began)
    await settle(target, decision, verdict)
    return result
  } catch (error) {
    await settle(target, decision, call.abortedByCaller ? { outcome: 'ignored' } : judgeError(target, error))
    throw error
  } finally {
    call.end()
  }
}

/** One call under way: its signal, its timer, and which of them ended it. */
class Call {
  readonly #providerId: string
  readonly #options: ExecuteOptions<unknown>
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #stop: ((reason: unknown) => void) | undefined
  abortedByCaller = false

  constructor(providerId: string, options: ExecuteOptions<unknown>) {
    this.#providerId = providerId
    this.#options = options
  }

  async run<T>(fn: Guarded<T>, trial: boolean): Promise<T> {
    const { timeoutMs, signal } = this.#options
    // The caller may have given up while admission was under way.
    if (signal?.aborted === true) this.#onAbort()
    if (this.abortedByCaller) throw signal?.reason
    if (timeoutMs === undefined && signal === undefined) return fn({ signal: this.#controller.signal, trial })
    const stopped = new Promise<never>((_, reject) => {
      this.#stop = reject
    })
    // Before the call, which may itself make the caller abort.
    if (timeoutMs !== undefined) this.#timer = setTimeout(() => this.#onTimeout(timeoutMs), timeoutMs)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    const work = (async () => fn({ signal: this.#controller.signal, trial }))()
    // Whichever comes second finds nobody waiting; that is no unhandled rejection.
    work.catch(() => undefined)
    stopped.catch(() => undefined)
    return Promise.race([work, stopped])
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
  }

  #onTimeout(timeoutMs: number): void {
    const error = new CallTimeoutError(this.#providerId, timeoutMs)
    this.#stop?.(error)
    this.#controller.abort(error)
  }

  readonly #onAbort = (): void => {
    this.abortedByCaller = true
    const reason: unknown = this.#options.signal?.reason
    this.#stop?.(reason)
    this.#controller.abort(reason)
  }
}

function judgeResult(target: ExecuteTarget, result: unknown, elapsedMs: number): Verdict {
  const said = askUser(target, result, undefined)
  if (said !== undefined) return said
  const verdict = classifyResult(result)
  const slow = target.slowMs !== undefined && elapsedMs > target.slowMs
  return slow && verdict.outcome === 'healthy' ? { outcome: 'degraded' } : verdict
}

function judgeError(target: ExecuteTarget, error: unknown): Verdict {
  if (error instanceof CallTimeoutError)
    return { outcome: 'timeout', detail: `no result within ${error.timeoutMs} ms` }
  return askUser(target, undefined, error) ?? classifyError(error)
}

function askUser(target: ExecuteTarget, result: unknown, error: unknown): Verdict | undefined {
  if (target.classify === undefined) return undefined
  const failed = (failure: unknown): void => {
    target.host.counters.callbacksFailed += 1
    target.host.log.error({ err: failure, provider: target.id }, 'classify failed')
  }
  try {
    const said: unknown = target.classify(result, error)
    // It must answer at once; a promise is no verdict, and its rejection must hurt nobody.
    onRejection(said, failed)
    return readVerdict(said)
  } catch (failure) {
    failed(failure)
    return undefined
  }
}

/** An outcome that cannot be written is counted and logged, and the caller's result stands. */
async function settle(target: ExecuteTarget, decision: Decision, verdict: Verdict): Promise<void> {
  if (!decision.admitted) return
  const { outcome, ...options } = verdict
  try {
    await decision.permit.settle(outcome, options)
  } catch (error) {
    target.host.log.warn({ err: error, provider: target.id, outcome }, 'an outcome could not be written')
  }
}

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
