import { CallTimeoutError } from '../model/errors.js'
import { offAbort, onAbort } from './abort-signals.js'
import type { Deadline, Deadlines } from './deadlines.js'

/** What a guarded function is given. */
export interface CallContext {
  /** Aborted when the call runs past `timeoutMs`, or when the caller aborts. Made when it is first read. */
  readonly signal: AbortSignal
  /** Whether this call is the trial of a half-open circuit. */
  readonly trial: boolean
}

export interface ExecuteOptions<F = never> {
  /** The call ends as `timeout` after this long, ms; up to some 16 ms later. 1 ms to 1 day, default: never. */
  readonly timeoutMs?: number | undefined
  /** The caller's: aborting it ends the call as `ignored`, and `execute` rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Answers in place of an error: a refusal, a failure or a timeout. Not when the caller aborted. */
  readonly fallback?: ((error: unknown) => F | Promise<F>) | undefined
}

/** The context of a call that nothing can end early: one for all of them. */
export const PLAIN_CONTEXT: CallContext = {
  get signal() {
    return new AbortController().signal
  },
  trial: false,
}

/** One call under way: its signal, its deadline, and which of them ended it. */
export class Call implements CallContext {
  readonly #providerId: string
  readonly #options: ExecuteOptions<unknown>
  readonly #deadlines: Pick<Deadlines, 'set'>
  #controller: AbortController | undefined
  #deadline: Deadline | undefined
  #onAbort: (() => void) | undefined
  #stop: ((reason: unknown) => void) | undefined
  #stopped = false
  #reason: unknown
  trial = false
  abortedByCaller = false

  constructor(providerId: string, options: ExecuteOptions<unknown>, deadlines: Pick<Deadlines, 'set'>) {
    this.#providerId = providerId
    this.#options = options
    this.#deadlines = deadlines
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#stopped) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  run<T>(fn: (context: CallContext) => T | Promise<T>, trial: boolean): Promise<T> {
    const { timeoutMs, signal } = this.#options
    this.trial = trial
    // One promise, for whichever comes first. What comes second finds it settled, and is no unhandled rejection.
    return new Promise((resolve, reject) => {
      this.#stop = reject
      // The caller may have given up while admission was under way.
      if (signal?.aborted === true) {
        this.#abortByCaller(signal)
        return
      }
      // Before the call, which may itself make the caller abort.
      if (timeoutMs !== undefined)
        this.#deadline = this.#deadlines.set(timeoutMs, () => this.#onTimeout(timeoutMs))
      if (signal !== undefined) {
        this.#onAbort = () => this.#abortByCaller(signal)
        onAbort(signal, this.#onAbort)
      }
      const result = fn(this)
      if (result instanceof Promise) result.then(resolve, reject)
      else resolve(result)
    })
  }

  end(): void {
    this.#deadline?.clear()
    if (this.#onAbort !== undefined && this.#options.signal !== undefined)
      offAbort(this.#options.signal, this.#onAbort)
  }

  #onTimeout(timeoutMs: number): void {
    this.#abort(new CallTimeoutError(this.#providerId, timeoutMs))
  }

  #abortByCaller(signal: AbortSignal): void {
    this.abortedByCaller = true
    this.#abort(signal.reason)
  }

  #abort(reason: unknown): void {
    this.#stopped = true
    this.#reason = reason
    this.#stop?.(reason)
    this.#controller?.abort(reason)
  }
}
