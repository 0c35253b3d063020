import type { Consistency, OnRedisDown } from '../../config/options.js'
import { isBusbarError, isProviderTrouble, ProviderRemovedError } from '../../model/errors.js'
import type { Run } from '../../model/ports.js'
import type { Settings } from '../../model/settings.js'
import { callRun, type Decision, type CallEnd } from '../admission/permit.js'
import { Call, PlainContext, type ExecuteOptions, type Judged } from './call.js'
import { isResponse, type Classify, type Verdict } from './classify.js'
import { endingOf, execute, guard, refusalOf } from './execute.js'
import type { Begin, CallOutcome, ExecuteTarget, Guarded } from './execute.js'
import { Fallback } from '../admission/fallback.js'
import { AdmissionGate } from '../admission/admission-gate.js'
import { CallJudge } from './call-judge.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { LocalCircuit } from '../outage/local-circuit.js'
import type { Outbox } from '../outbox/outbox.js'

/** What is local to one process. */
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
  readonly #fallback: Fallback
  readonly #judge: CallJudge
  #timeoutMs: number | undefined
  /** Contexts of calls that have ended, for those to come: a call with nothing to tell allocates none. */
  readonly #spare: PlainContext[] = []

  constructor(context: ProcessContext, session: ProviderSession, outbox: Outbox, local: LocalOptions) {
    this.#context = context
    this.#session = session
    this.#outbox = outbox
    this.#fallback = new Fallback(context, session, local.onRedisDown, (run, circuit) =>
      this.#sendFallback(run, circuit),
    )
    this.#gate = new AdmissionGate(
      context,
      session,
      this.#fallback,
      local.consistency,
      (ending, generation, token) => this.send(callRun(ending, generation, token)),
    )
    this.#judge = new CallJudge(context, session.id, local.classify, () => this.#settings.slowMs)
    this.#timeoutMs = local.timeoutMs
  }

  configure(local: { [K in keyof LocalOptions]?: LocalOptions[K] | undefined }): void {
    const { classify, consistency, onRedisDown, timeoutMs } = local
    if (classify !== undefined) this.#judge.classify = classify
    this.#timeoutMs = timeoutMs ?? this.#timeoutMs
    this.#gate.consistency = consistency ?? this.#gate.consistency
    this.#fallback.mode = onRedisDown ?? this.#fallback.mode
  }

  admit(): Decision | Promise<Decision> {
    return this.#gate.admit()
  }

  execute<T, F>(fn: Guarded<T>, options: ExecuteOptions<F> | undefined): Promise<T | F> {
    if (options !== undefined || this.#timeoutMs !== undefined || typeof fn !== 'function')
      return execute(this.#begin, fn, options, this.#timeoutMs)
    if (this.#gate.free) {
      if (this.#settings.slowMs === undefined) return this.#plain(fn)
      return this.#call(fn, new Call(this.#session.id, {}, this.#context.deadlines))
    }
    const answer = this.#gate.admit()
    if (!(answer instanceof Promise) && !answer.admitted)
      return rejectLater(refusalOf(this.#session.id, answer))
    return guard(this.#target(), fn, {}, answer)
  }

  readonly #begin: Begin = (fn, options, ended) =>
    this.#gate.free
      ? this.#call(fn, new Call(this.#session.id, options, this.#context.deadlines), ended)
      : guard(this.#target(), fn, options, this.#gate.admit(options.timeoutMs), ended)

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
    const { calls } = this.#context
    context.mark = calls.loop.mark()
    context.generation = this.#session.cache.generation
    this.#session.used = true
    calls.count += 1
    return context
  }

  /** The same with what the hot path leaves out: options, and `slowMs`. */
  async #call<T>(fn: Guarded<T>, call: Call, ended?: CallOutcome): Promise<T> {
    const began = this.#settings.slowMs === undefined ? UNTIMED : this.#context.clock.now()
    this.#session.used = true
    this.#context.calls.count += 1
    call.mark = this.#context.calls.loop.markNow()
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
    this.#outbox.healthy(context.generation)
    this.#context.calls.end()
    return true
  }

  /** Nothing is slow where no `slowMs` says so, and no clock was read. */
  #endJudged(result: unknown, context: Judged, began = UNTIMED): Promise<void> {
    const { mark, generation } = context
    const timing = began === UNTIMED ? { mark } : { mark, elapsedMs: this.#context.clock.now() - began }
    return this.#end(this.#judge.result(result, context, timing), generation)
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
    return this.#end(judgement, context.generation)
  }

  /**
   * Whatever is no plain success. What trips the circuit is known before the call's end is. Never rejects: the caller gets
   * its own result or error, and an outcome that cannot be written is counted and logged where it is given up.
   */
  async #end(verdict: Verdict, generation: number): Promise<void> {
    try {
      const run = this.#capped(callRun(endingOf(verdict), generation, ''))
      if (this.#session.withoutStore) this.#keep(run)
      else if (this.#post(run) && this.#tripping) await this.#outbox.attempted()
    } catch (error) {
      this.#context.log.debug(
        { err: error, provider: this.#session.id },
        'an outcome could not be written yet',
      )
    } finally {
      this.#context.calls.end()
    }
  }

  /** Whether this process alone has seen enough failures in a row to open the circuit. */
  get #tripping(): boolean {
    return this.#outbox.failuresInRow >= this.#settings.breaker.failureThreshold
  }

  #target(): ExecuteTarget {
    return {
      id: this.#session.id,
      context: this.#context,
      gate: this.#gate,
      judge: this.#judge,
      waits: () => this.#gate.consistency === 'strict' || this.#tripping,
    }
  }

  /** Puts an outcome into the outbox. A pause holds in this process at once. True when it goes at once. */
  #post(run: Run): boolean {
    // Only while the circuit is closed can good news wait: in any other state it may be what closes it.
    const urgent = !this.#session.cache.free
    if (run.outcome === 'throttled') this.#session.cache.throttle(run.retryAfterMs)
    return this.#outbox.add(run, urgent)
  }

  /**
   * Strict: resolves when the outcome has been applied, rejects when it could not be sent. Cached: resolves at once
   * for what may wait; what goes at once is waited for, so that bad news is known when this resolves, but an error
   * is the outbox's, which sends it again.
   */
  async send(given: Run): Promise<void> {
    const run = this.#capped(given)
    if (this.#session.withoutStore) {
      this.#keep(run)
      return
    }
    if (this.#gate.consistency === 'strict') return this.#outbox.commit(run)
    if (this.#session.cache.mode === 'stopped') return this.#outbox.commit(run)
    if (this.#post(run)) await this.#outbox.attempted().catch(ignoreOutage)
  }

  /** Tells how a call ended that needed no permit. */
  record(ending: CallEnd): Promise<void> {
    const { generation } = this.#session.withoutStore ? this.#fallback : this.#session.cache
    return this.send(callRun(ending, generation, ''))
  }

  /** The provider as it is decided by without the store. */
  get fallback(): Fallback {
    return this.#fallback
  }

  /**
   * Without the store: the outcome decides here, if anything does. In an outage it is kept for the history; where the
   * provider alone is cut off, for how long is in nobody's hands but a person's, so it is counted as lost.
   */
  #keep(run: Run, local?: LocalCircuit, token = run.token): void {
    if (this.#session.removed) {
      this.#context.counters.outcomesLost += run.count
      throw new ProviderRemovedError(this.#session.id)
    }
    this.#fallback.judge(run, local)
    if (this.#context.watch.lost) this.#outbox.add({ ...run, generation: NO_GENERATION, token })
    else this.#context.counters.outcomesLost += run.count
  }

  /** A call that was admitted without the store decides nothing there, whenever it ends. */
  async #sendFallback(run: Run, local: LocalCircuit | undefined): Promise<void> {
    if (!this.#session.withoutStore) return this.send({ ...run, generation: NO_GENERATION, token: '' })
    this.#keep(this.#capped(run), local, '')
  }

  /** No provider may keep the fleet away for longer than the settings let it. */
  #capped(run: Run): Run {
    const { maxThrottleMs } = this.#settings.breaker
    return run.retryAfterMs > maxThrottleMs ? { ...run, retryAfterMs: maxThrottleMs } : run
  }

  get #settings(): Settings {
    return this.#session.settings.settings
  }
}

/** When a call began whose duration nobody asks for. */
const UNTIMED = -1
/** Contexts kept for calls to come. */
const MAX_SPARE = 64

/** No circuit is ever in it: such an outcome enters the history alone. */
const NO_GENERATION = 0

/**
 * Rejects a turn later, when the caller has had time to attach a handler. Node keeps a book of promises that are
 * rejected before they are handled, and an entry in it costs more than the whole refusal.
 */
async function rejectLater(error: Error): Promise<never> {
  await Promise.resolve()
  throw error
}

/** What the outbox tries again, or gives up, is no error of its caller; a removed provider or a closed busbar is. */
const ignoreOutage = (error: unknown): void => {
  if (isBusbarError(error, 'redis_unavailable') || isBusbarError(error, 'command_late')) return
  if (!isProviderTrouble(error)) throw error
}
