import type { Consistency, OnRedisDown } from '../../config/options.js'
import type { Settings } from '../../model/settings.js'
import { callRun, type Decision, type CallEnd } from '../admission/permit.js'
import { Call, PlainContext, UNTIMED, type ExecuteOptions, type Judged } from './call.js'
import { isResponse, type Classify, type Verdict } from './classify.js'
import { endingOf, execute, guard, refusalOf } from './execute.js'
import type { Begin, CallOutcome, ExecuteTarget, Guarded } from './execute.js'
import type { Fallback } from '../admission/fallback.js'
import { AdmissionGate } from '../admission/admission-gate.js'
import { CallJudge } from './call-judge.js'
import { CallObserver } from './call-observer.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Outbox } from '../outbox/outbox.js'
import { OutcomeSink } from './outcome-sink.js'

/** Options that are local to one process. */
export interface LocalOptions {
  readonly classify?: Classify | undefined
  readonly consistency: Consistency
  readonly onRedisDown: OnRedisDown
  readonly timeoutMs?: number | undefined
}

/**
 * A process's calls of one provider: from the gate, through the user's function, into the outbox. Two ways are kept
 * short, because nearly all calls take them: admitted on the spot by a closed circuit, and refused on the spot.
 */
export class Caller {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #outbox: Outbox
  readonly #gate: AdmissionGate
  readonly #sink: OutcomeSink
  readonly #judge: CallJudge
  readonly #observer: CallObserver
  #timeoutMs: number | undefined
  /** Contexts of calls that have ended, for those to come: a call with nothing to tell allocates none. */
  readonly #spare: PlainContext[] = []

  constructor(context: ProcessContext, session: ProviderSession, outbox: Outbox, local: LocalOptions) {
    this.#context = context
    this.#session = session
    this.#outbox = outbox
    this.#sink = new OutcomeSink({ context, session, outbox, onRedisDown: local.onRedisDown })
    this.#gate = new AdmissionGate(context, session, this.#sink.fallback, (end, generation, token) =>
      this.#sink.send(callRun(end, generation, token)),
    )
    this.#setConsistency(local.consistency)
    this.#judge = new CallJudge(context, session.id, local.classify, () => this.#settings.slowMs)
    this.#observer = new CallObserver(context, session, this.#judge)
    this.#timeoutMs = local.timeoutMs
  }

  configure(local: { [K in keyof LocalOptions]?: LocalOptions[K] | undefined }): void {
    const { classify, consistency, onRedisDown, timeoutMs } = local
    if (classify !== undefined) this.#judge.classify = classify
    this.#timeoutMs = timeoutMs ?? this.#timeoutMs
    if (consistency !== undefined) this.#setConsistency(consistency)
    if (onRedisDown !== undefined) this.#sink.fallback.mode = onRedisDown
  }

  #setConsistency(consistency: Consistency): void {
    this.#gate.consistency = consistency
    this.#sink.strict = consistency === 'strict'
  }

  /** `timeoutMs`: of the call, so that its lease outlives it. */
  admit(timeoutMs?: number): Decision | Promise<Decision> {
    const answer = this.#gate.admit(timeoutMs)
    return this.#context.observers.on ? this.#observer.decided(answer) : answer
  }

  execute<T, F>(fn: Guarded<T>, options: ExecuteOptions<F> | undefined): Promise<T | F> {
    if (options !== undefined || this.#timeoutMs !== undefined || typeof fn !== 'function')
      return execute(this.#begin, fn, options, this.#timeoutMs)
    if (this.#gate.free) {
      if (this.#settings.slowMs === undefined) return this.#plain(fn)
      return this.#call(fn, new Call(this.#session.id, {}, this.#context.deadlines))
    }
    const answer = this.admit()
    if (!(answer instanceof Promise) && !answer.admitted)
      return rejectLater(refusalOf(this.#session.id, answer))
    return guard(this.#target(), { fn, options: {}, ended: {} }, answer)
  }

  readonly #begin: Begin = (fn, options, ended) =>
    this.#gate.free
      ? this.#call(fn, new Call(this.#session.id, options, this.#context.deadlines), ended)
      : guard(this.#target(), { fn, options, ended }, this.admit(options.timeoutMs))

  /**
   * The hot path: closed, cached, nothing to wait for or to measure. It allocates no more than the promise it returns, and
   * has few local variables: each makes the frame larger that every call allocates.
   */
  async #plain<T>(fn: Guarded<T>): Promise<T> {
    const context = this.#beginPlain()
    let result: T
    try {
      result = await fn(context)
    } catch (error) {
      await this.#threw(error, context)
      throw error
    }
    if (!this.#endPlain(result, context)) await this.#endJudged(result, context)
    else if (this.#spare.length < MAX_SPARE) this.#spare.push(context)
    return result
  }

  #beginPlain(): PlainContext {
    const context = this.#spare.pop() ?? new PlainContext()
    const { calls, observers } = this.#context
    context.mark = calls.loop.mark()
    if (observers.on) this.#observer.begin(context)
    context.generation = this.#session.cache.generation
    this.#session.used = true
    calls.count += 1
    return context
  }

  /** The same with what the hot path leaves out: options, and `slowMs`. */
  async #call<T>(fn: Guarded<T>, call: Call, ended?: CallOutcome): Promise<T> {
    const began = this.#settings.slowMs === undefined ? UNTIMED : this.#context.clock.now()
    call.mark = this.#context.calls.loop.markNow()
    if (this.#context.observers.on) this.#observer.begin(call)
    this.#session.used = true
    this.#context.calls.count += 1
    call.generation = this.#session.cache.generation
    let result: T
    try {
      result = await call.run(fn, false)
    } catch (error) {
      await this.#threw(error, call, ended)
      throw error
    }
    call.end(result)
    if (began !== UNTIMED || !this.#endPlain(result, call)) await this.#endJudged(result, call, began)
    return result
  }

  /** Ends a call of which nothing is to be judged; false where something is. */
  #endPlain(result: unknown, context: PlainContext | Call): boolean {
    const judge = this.#judge
    if (judge.classify !== undefined || context.looked || isResponse(result)) return false
    // The store may have been lost since it began.
    if (this.#session.cache.suspended) return false
    judge.plain += 1
    // The judge has counted it.
    if (context.began !== UNTIMED) this.#observer.endTimed('healthy', context)
    this.#outbox.healthy(context.generation)
    this.#context.calls.end()
    return true
  }

  /** Nothing is slow where no `slowMs` says so, and no clock was read. */
  #endJudged(result: unknown, context: Judged, began = UNTIMED): Promise<void> {
    const { mark } = context
    const timing = began === UNTIMED ? { mark } : { mark, elapsedMs: this.#context.clock.now() - began }
    return this.#end(this.#judge.result(result, context, timing), context)
  }

  /** Never rejects; see `#end`. */
  #threw(error: unknown, context: PlainContext | Call, ended?: CallOutcome): Promise<void> {
    const call = context instanceof PlainContext ? undefined : context
    call?.end()
    const timing = { mark: context.mark, timeoutMs: call?.timeoutMs }
    const abortion = call?.abortion
    const judgement =
      abortion === undefined
        ? this.#judge.error(error, context, timing)
        : this.#judge.abortion(abortion, timing)
    if (ended !== undefined) ended.judgement = judgement
    return this.#end(judgement, context)
  }

  /**
   * Ends a call that is no plain success. An outcome that trips the circuit is known before the call ends. Never rejects: the caller gets
   * its own result or error, and an outcome that cannot be written is counted and logged where it is given up.
   */
  async #end(verdict: Verdict, call: Judged): Promise<void> {
    if (this.#context.observers.on) this.#observer.end(verdict.outcome, call)
    try {
      await this.#sink.end(endingOf(verdict), call.generation)
    } catch (error) {
      this.#context.log.debug(
        { err: error, provider: this.#session.id },
        'an outcome could not be written yet',
      )
    } finally {
      this.#context.calls.end()
    }
  }

  #target(): ExecuteTarget {
    return {
      id: this.#session.id,
      context: this.#context,
      gate: this.#gate,
      judge: this.#judge,
      waits: () => this.#sink.strict || this.#sink.tripping,
    }
  }

  /** Tells how a call ended that needed no permit. */
  record(end: CallEnd): Promise<void> {
    if (this.#context.observers.on) this.#observer.recorded(end.outcome)
    return this.#sink.record(end)
  }

  /** The provider as it is decided by without the store. */
  get fallback(): Fallback {
    return this.#sink.fallback
  }

  get #settings(): Settings {
    return this.#session.settings.settings
  }
}

/** Contexts kept for calls to come. */
const MAX_SPARE = 64

/**
 * Rejects a turn later, when the caller has had time to attach a handler. Node keeps a book of promises that are
 * rejected before they are handled, and an entry in it costs more than the whole refusal.
 */
async function rejectLater(error: Error): Promise<never> {
  await Promise.resolve()
  throw error
}
