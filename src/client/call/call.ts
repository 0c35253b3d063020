import { CallTimeoutError } from '../../model/errors.js'
import { offAbort, offAbortWith, onAbort } from '../shared/abort-signals.js'
import { isTimeLimit, type Judgement } from './classify.js'
import type { Deadline, Deadlines } from '../shared/deadlines.js'

/** What a guarded function is given. */
export interface CallContext {
  /**
   * Aborted when the call runs past `timeoutMs`, or when the caller aborts; by the caller also afterwards, while a body that
   * the function returned is still read. Made when it is first read.
   */
  readonly signal: AbortSignal
  /** Whether this call is the trial of a half-open circuit. */
  readonly trial: boolean
  /** The call's time limit, ms: that of its options, else of its handle; undefined where it has none. */
  readonly timeoutMs?: number | undefined
  /**
   * Gives `answer` back, and has the call judged by it instead of by what the function returns: a 503 whose body was parsed
   * is no success. Where the function throws, an answer that was not well outranks the error. The last one counts.
   */
  readonly judge: <X>(answer: X) => X
}

/** What a function is given that a group calls. */
export interface MemberContext extends CallContext {
  /** The provider that is called. */
  readonly id: string
  /** 1 for the first call of the function, 2 for the next one. */
  readonly attempt: number
}

export interface ExecuteOptions<F = never> {
  /** The call ends as `timeout` after this long, ms; up to some 16 ms later. 1 ms to 1 day, default that of the handle, else never. */
  readonly timeoutMs?: number | undefined
  /**
   * The caller's: aborting it ends the call as `ignored`, and `execute` rejects with its reason. Where that is a TimeoutError
   * (`AbortSignal.timeout()`), the call is a `timeout`.
   */
  readonly signal?: AbortSignal | undefined
  /** Answers in place of an error: a refusal, a failure, a timeout or a pause. Not when the caller aborted, nor for a client error. */
  readonly fallback?: ((error: unknown) => F | Promise<F>) | undefined
}

/** Options of a call, checked. */
export interface CallOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Of a group's call: which one it is. */
  readonly attempt?: number
}

/** When a call began whose duration is not asked for. */
export const UNTIMED = -1

/** What a call is judged by: what the function gave to `judge`, else what it returned. */
export class Judged {
  #answer: { readonly value: unknown } | undefined
  #judge: (<X>(answer: X) => X) | undefined
  /** When the call began; of `LoopWatch`. */
  mark = 0
  /** In which it began. */
  generation = 0
  /** When it began, on this process's clock, where observers want its duration; else `UNTIMED`. */
  began = UNTIMED
  /** How many calls its duration stands for in the metrics; see `ProviderMeter`. */
  weight = 0

  /** Bound, so that it can be taken out of the context. */
  get judge(): <X>(answer: X) => X {
    this.#judge ??= (answer) => {
      this.#answer = { value: answer }
      return answer
    }
    return this.#judge
  }

  /** Whether the function ever looked at `judge`. */
  get looked(): boolean {
    return this.#judge !== undefined
  }

  get answer(): { readonly value: unknown } | undefined {
    return this.#answer
  }
}

/** The context of a call that nothing can end early. One whose `judge` was not read can be that of another call. */
export class PlainContext extends Judged implements MemberContext {
  readonly id: string
  readonly trial = false
  readonly attempt = 1

  constructor(id: string) {
    super()
    this.id = id
  }

  get signal(): AbortSignal {
    return new AbortController().signal
  }
}

/** One call under way: its signal, its deadline, and which of them ended it. */
export class Call extends Judged implements MemberContext {
  readonly id: string
  readonly #options: CallOptions
  readonly #deadlines: Pick<Deadlines, 'set'>
  #controller: AbortController | undefined
  #deadline: Deadline | undefined
  #onAbort: (() => void) | undefined
  #stop: ((reason: unknown) => void) | undefined
  #began = false
  #stopped = false
  #reason: unknown
  #abortedByCaller = false
  trial = false

  constructor(id: string, options: CallOptions, deadlines: Pick<Deadlines, 'set'>) {
    super()
    this.id = id
    this.#options = options
    this.#deadlines = deadlines
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#stopped) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  /** How a call is judged that its caller gave up; undefined where the caller did not. */
  get abortion(): Judgement | undefined {
    if (!this.#abortedByCaller) return undefined
    // A time limit that passed before the call began is none of the provider's.
    return this.#began && isTimeLimit(this.#options.signal?.reason)
      ? { outcome: 'timeout', detail: 'TimeoutError' }
      : { outcome: 'ignored', because: 'aborted' }
  }

  get attempt(): number {
    return this.#options.attempt ?? 1
  }

  get timeoutMs(): number | undefined {
    return this.#options.timeoutMs
  }

  run<T>(fn: (context: MemberContext) => T | Promise<T>, trial: boolean): Promise<T> {
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
      this.#began = true
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

  /** `result`: what the function returned. While its body is read, the caller's abort goes on to reach it. */
  end(result?: unknown): void {
    this.#deadline?.clear()
    // It holds the result, which is to be free to go.
    this.#stop = undefined
    const { signal } = this.#options
    if (signal === undefined || this.#onAbort === undefined) return
    const stream = this.#controller === undefined ? undefined : streamOf(result)
    if (stream === undefined) offAbort(signal, this.#onAbort)
    else offAbortWith(stream, signal, this.#onAbort)
  }

  #onTimeout(timeoutMs: number): void {
    this.#abort(new CallTimeoutError(this.id, timeoutMs))
  }

  #abortByCaller(signal: AbortSignal): void {
    this.#abortedByCaller = true
    this.#abort(signal.reason)
  }

  #abort(reason: unknown): void {
    this.#stopped = true
    this.#reason = reason
    this.#stop?.(reason)
    this.#controller?.abort(reason)
  }
}

/** What of a result is still to be read: it, its `body` (fetch, undici) or its `data` (axios). Never throws. */
function streamOf(result: unknown): object | undefined {
  try {
    if (!isObject(result) || Reflect.get(result, 'bodyUsed') === true) return undefined
    return [result, Reflect.get(result, 'body'), Reflect.get(result, 'data')].find(isStream)
  } catch {
    return undefined // an object with getters that throw
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isStream = (value: unknown): value is object =>
  isObject(value) && Symbol.asyncIterator in value && Reflect.get(value, 'readableEnded') !== true
