import type { Consistency } from '../../config/options.js'
import type { Settings } from '../../model/settings.js'
import type { Outcome } from '../../model/words.js'
import { callRun, type Decision, type CallEnd } from '../admission/permit.js'
import { Call, PlainContext, UNTIMED, type CallOptions, type ExecuteOptions } from './call.js'
import { isPlainSuccess } from './classify.js'
import { execute, guard, refusalOf, rejectLater } from './execute.js'
import type { Begin, CallOutcome, ExecuteTarget, Failover, Guarded, GuardedMember } from './execute.js'
import type { Fallback } from '../admission/fallback.js'
import { AdmissionGate } from '../admission/admission-gate.js'
import { CallJudge } from './call-judge.js'
import { CallObserver } from './call-observer.js'
import { JudgedEnding } from './judged-ending.js'
import type { LocalOptions } from './local-options.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { USED } from '../sync/use.js'
import type { Outbox } from '../outbox/outbox.js'
import { OutcomeSink } from './outcome-sink.js'

/**
 * A process's calls of one provider: from the gate, through the user's function, into the outbox. Two ways are kept
 * short, because nearly all calls take them: admitted on the spot by a closed circuit, and refused on the spot.
 */
export class Caller {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #outbox: Outbox
  readonly gate: AdmissionGate
  readonly #sink: OutcomeSink
  readonly #judge: CallJudge
  readonly #observer: CallObserver
  readonly #ending: JudgedEnding
  #timeoutMs: number | undefined
  /** Contexts of calls that have ended, for those to come: a call with nothing to tell allocates none. */
  readonly #spare: PlainContext[] = []

  constructor(context: ProcessContext, session: ProviderSession, outbox: Outbox, local: LocalOptions) {
    this.#context = context
    this.#session = session
    this.#outbox = outbox
    this.#sink = new OutcomeSink({ context, session, outbox, onRedisDown: local.onRedisDown })
    this.gate = new AdmissionGate(context, session, this.#sink.fallback, (end, generation, token) =>
      this.#sink.send(callRun(end, generation, token)),
    )
    this.#setConsistency(local.consistency)
    this.#judge = new CallJudge(context, session.id, local.classify, () => this.#settings.slowMs)
    this.#observer = new CallObserver(context, session, this.#judge)
    const { id } = session
    this.#ending = new JudgedEnding({
      context,
      id,
      judge: this.#judge,
      observer: this.#observer,
      sink: this.#sink,
    })
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
    this.gate.consistency = consistency
    this.#sink.strict = consistency === 'strict'
  }

  /** `timeoutMs`: of the call, so that its lease outlives it. */
  admit(timeoutMs?: number): Decision | Promise<Decision> {
    const answer = this.gate.admit(timeoutMs)
    return this.#context.observers.on ? this.#observer.decided(answer) : answer
  }

  execute<T, F>(fn: Guarded<T>, options: ExecuteOptions<F> | undefined): Promise<T | F> {
    if (options !== undefined || this.#timeoutMs !== undefined || typeof fn !== 'function')
      return execute(this.#begin, fn, options, this.#timeoutMs)
    if (this.gate.free) {
      if (this.#settings.slowMs === undefined) return this.#plain(fn)
      return this.#call(fn, new Call(this.#session.id, {}, this.#context.deadlines))
    }
    const answer = this.admit()
    if (!(answer instanceof Promise) && !answer.admitted)
      return rejectLater(refusalOf(this.#session.id, answer))
    return guard(this.#target(), { fn, options: {}, ended: {} }, answer)
  }

  /** As `execute` with a signal; says in `ended` how a call ended that threw. */
  run<T>(fn: Guarded<T>, signal: AbortSignal | undefined, ended: CallOutcome): Promise<T> {
    return this.#begin(fn, { signal, timeoutMs: this.#timeoutMs }, ended)
  }

  /** How an error would be judged that a call of this provider ended with; judges no call. */
  outcomeOf(error: unknown): Outcome {
    return this.#judge.outcomeOf(error)
  }

  readonly #begin: Begin = (fn, options, ended) =>
    this.gate.free
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
      await this.#ending.threw(error, context)
      throw error
    }
    if (!this.#endPlain(result, context)) await this.#ending.returned(result, context)
    else if (this.#spare.length < MAX_SPARE) this.#spare.push(context)
    return result
  }

  /** Whether the hot path takes a call without options, where it is free. */
  get plain(): boolean {
    return this.#timeoutMs === undefined && this.#settings.slowMs === undefined
  }

  /** As `admit`, of a member that a group chose: its order has drawn the share of a provider that recovers. */
  admitMember(timeoutMs?: number): Decision | Promise<Decision> {
    const answer = this.gate.admitMember(timeoutMs)
    return this.#context.observers.on ? this.#observer.decided(answer) : answer
  }

  /** A call of a group that began `from` a member which is free and plain. What is no plain success goes to `group`. */
  async memberPlain<T, F>(fn: GuardedMember<T>, group: Failover<F>, from: F): Promise<T> {
    const context = this.#beginPlain()
    let result: T
    try {
      result = await fn(context)
    } catch (error) {
      return group.threw(fn, from, error, await this.#ending.threw(error, context))
    }
    if (!this.#endPlain(result, context))
      return group.returned(fn, from, result, await this.#ending.returned(result, context))
    if (this.#spare.length < MAX_SPARE) this.#spare.push(context)
    return result
  }

  /** The same in all other cases. `forced`: no permit is asked for, and the outcome goes in as that of `record`. */
  member<T>(fn: GuardedMember<T>, given: CallOptions, ended: CallOutcome, forced: boolean): Promise<T> {
    const { signal, attempt = 1, timeoutMs = this.#timeoutMs } = given
    const options = { signal, timeoutMs, attempt }
    return forced || this.gate.free
      ? this.#call(fn, new Call(this.#session.id, options, this.#context.deadlines), ended)
      : guard(this.#target(), { fn, options, ended }, this.admitMember(options.timeoutMs))
  }

  #beginPlain(): PlainContext {
    const context = this.#spare.pop() ?? new PlainContext(this.#session.id)
    const { calls, observers } = this.#context
    context.mark = calls.loop.mark()
    if (observers.on) this.#observer.begin(context)
    context.generation = this.#session.cache.generation
    this.#session.used = USED
    calls.count += 1
    return context
  }

  /** The same with what the hot path leaves out: options, and `slowMs`. */
  async #call<T>(fn: GuardedMember<T>, call: Call, ended?: CallOutcome): Promise<T> {
    const began = this.#settings.slowMs === undefined ? UNTIMED : this.#context.clock.now()
    call.mark = this.#context.calls.loop.markNow()
    if (this.#context.observers.on) this.#observer.begin(call)
    this.#session.used = USED
    this.#context.calls.count += 1
    call.generation = this.#session.cache.generation
    let result: T
    try {
      result = await call.run(fn, false)
    } catch (error) {
      await this.#ending.threw(error, call, ended)
      throw error
    }
    call.end(result)
    if (began !== UNTIMED || !this.#endPlain(result, call)) {
      const judgement = await this.#ending.returned(result, call, began)
      if (ended !== undefined) ended.judgement = judgement
    }
    return result
  }

  /** Ends a call of which nothing is to be judged; false where something is. */
  #endPlain(result: unknown, context: PlainContext | Call): boolean {
    const judge = this.#judge
    if (judge.classify !== undefined || context.looked || !isPlainSuccess(result)) return false
    // The store may have been lost since it began.
    if (this.#session.cache.suspended) return false
    judge.plain += 1
    // The judge has counted it.
    if (context.began !== UNTIMED) this.#observer.endTimed('healthy', context)
    this.#outbox.healthy(context.generation)
    this.#context.calls.end()
    return true
  }

  #target(): ExecuteTarget {
    return {
      id: this.#session.id,
      context: this.#context,
      gate: this.gate,
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
