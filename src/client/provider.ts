import { checkArgument } from '../config/check.js'
import { countSchema, thresholdSchema } from '../config/options.js'
import type { ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { Settings } from '../model/settings.js'
import type { HistoryEntry } from '../model/snapshot.js'
import type { CircuitState, HealthStatus, Outcome } from '../model/words.js'
import { blocksOf } from '../rules/blocks.js'
import { assess } from '../rules/health.js'
import { checkCallEnd } from './admission/permit.js'
import type { Decision, SettleOptions } from './admission/permit.js'
import type { ReadyOptions } from './admission/readiness.js'
import type { CallContext, ExecuteOptions } from './call/call.js'
import type { Caller } from './call/caller.js'
import type { Guarded } from './call/execute.js'
import { guardedFunction, type WrapOptions } from './call/guarded-function.js'
import type { ProcessContext } from './context.js'
import { ProviderControl, type ControlOptions, type TimedControlOptions } from './provider-control.js'
import type { ProviderCore } from './provider-core.js'
import type { Snapshot } from './sync/snapshot.js'

/** The core behind a handle, for parts of this package that are given no more than the face of it. */
export let providerCoreOf: (provider: Provider) => ProviderCore

/**
 * A process's handle of one provider. Every method asks Redis, unless it says otherwise, and may reject with
 * `RedisUnavailableError` (Redis did not answer; while it is lost, at once), `ProviderRemovedError` (somebody removed the provider) or
 * `BusbarClosedError`.
 */
export class Provider {
  readonly id: string
  readonly #core: ProviderCore
  readonly #control: ProviderControl
  readonly #context: ProcessContext
  /** On the way of every call. */
  readonly #caller: Caller

  static {
    providerCoreOf = (provider) => provider.#core
  }

  /** Handles come from `busbar.provider()`. */
  constructor(core: ProviderCore, context: ProcessContext) {
    this.id = core.id
    this.#core = core
    this.#context = context
    this.#control = new ProviderControl(context, core.session)
    this.#caller = core.caller
  }

  /** The settings that this process last saw in force. Makes no round trip. */
  get settings(): Settings {
    return this.#core.settings
  }

  /** The process or person that set them, when (Redis ms), and whether it was an operator: then code does not replace them. Makes no round trip. */
  get settingsOrigin(): { readonly setBy: string; readonly setAt: number; readonly pinned: boolean } {
    const { setBy, setAt, pinned } = this.#core.session.settings
    return { setBy, setAt, pinned }
  }

  /**
   * What of the stored settings this version cannot read, in words, because a later one (or a person) wrote it: its default
   * holds in this process, and a probe is left to the workers that know it. Usually empty. Makes no round trip.
   */
  get settingsProblems(): readonly string[] {
    return this.#core.session.settings.unread.flatMap(({ problem }) => problem ?? [])
  }

  /**
   * Runs `fn` if the circuit lets it, and tells the fleet how it ended.
   * @throws CallRefusedError when it was not run (it has no stack trace); CallTimeoutError; whatever `fn` throws;
   *   `signal.reason`.
   */
  execute<T, F = never>(fn: Guarded<T>, options?: ExecuteOptions<F>): Promise<T | F> {
    return this.#caller.execute(fn, options)
  }

  /**
   * The same function, guarded: each call of it goes through `execute`. With `context: true` it is given the context as its
   * first argument, before those that the guarded function is called with.
   */
  wrap<A extends unknown[], T, F = never>(
    fn: (context: CallContext, ...args: A) => T | Promise<T>,
    options: WrapOptions<F> & { readonly context: true },
  ): (...args: A) => Promise<T | F>
  wrap<A extends unknown[], T, F = never>(
    fn: (...args: A) => T | Promise<T>,
    options?: WrapOptions<F> & { readonly context?: false | undefined },
  ): (...args: A) => Promise<T | F>
  wrap(
    fn: (...args: never[]) => unknown,
    given: WrapOptions<unknown> = {},
  ): (...args: unknown[]) => Promise<unknown> {
    return guardedFunction(fn, given, (call, options) => this.execute(call, options))
  }

  /** Whether a call may begin now. A refusal is a value; while Redis is lost, `onRedisDown` says who decides. */
  async admit(): Promise<Decision> {
    return this.#caller.admit()
  }

  /**
   * Resolves when a call would be admitted now, for a loop that takes work from elsewhere: a queue, a topic, a socket. It takes no
   * lease and makes no round trip, so the call after it may still be refused. In half-open it resolves for one waiter at a time
   * of this process; the others follow after the next news of the provider, or after 1 s.
   * @throws ProviderRemovedError, BusbarClosedError, also while it waits; `signal.reason`; ArgumentError
   */
  ready(options: ReadyOptions = {}): Promise<void> {
    return this.#core.readiness.ready(options)
  }

  /** Looks, takes no lease: true when closed or half-open, and neither marked nor throttled. */
  async shouldAllow(): Promise<boolean> {
    const snapshot = await this.snapshot()
    return !snapshot.enforce || blocksOf(snapshot).length === 0
  }

  /** Tells how a call ended that did not come through `execute` or `admit`. */
  async record(outcome: Outcome, options: SettleOptions = {}): Promise<void> {
    await this.#caller.record(checkCallEnd(outcome, options))
  }

  /** `record('healthy')`. */
  recordSuccess(): Promise<void> {
    return this.record('healthy')
  }

  /** `record('unhealthy')`. */
  recordFailure(): Promise<void> {
    return this.record('unhealthy')
  }

  /** Closed, all counters 0, and no pause from a 429. Marks stay. */
  async reset(options?: ControlOptions): Promise<void> {
    await this.#control.reset(options)
  }

  /** Opens the circuit by hand; half-open follows after `forMs`, without it only a reset ends it. */
  async trip(options?: TimedControlOptions): Promise<void> {
    await this.#control.trip(options)
  }

  /** Refuses all calls and ends the probes, until `resume`. */
  async markUnhealthy(options?: TimedControlOptions): Promise<void> {
    await this.#control.mark('unhealthy', options)
  }

  /** Says that the provider is slow or partial. Calls and probes go on. */
  async markDegraded(options?: TimedControlOptions): Promise<void> {
    await this.#control.mark('degraded', options)
  }

  /** Says that the provider is gone: refuses all calls and ends the probes, until `resume`. */
  async markTerminated(options?: TimedControlOptions): Promise<void> {
    await this.#control.mark('terminated', options)
  }

  /** Clears the mark; the probes begin again. Nothing happens when there is none. */
  async resume(options?: ControlOptions): Promise<void> {
    await this.#control.resume(options)
  }

  /**
   * The provider reports by itself that it lives, for a probe of kind `heartbeat`. With `progress`, a whole number from 0
   * to 10 000 000 000 000 in units of its own (steps done, bytes read), also how far it has come: any change of it counts.
   * One write; it is not announced.
   */
  async heartbeat(options: { readonly progress?: number | undefined } = {}): Promise<void> {
    await this.#control.heartbeat(options)
  }

  /** The circuit's state; an open circuit whose cooldown is over is `half_open`. */
  async state(): Promise<CircuitState> {
    return (await this.snapshot()).state
  }

  /** healthy / all outcomes in the window, 0 to 1; 1 when there are none. */
  async successRate(): Promise<number> {
    return (await this.snapshot()).successRate
  }

  /** Judges the success rate: `healthy` from `threshold` on (default the settings'), `degraded` above 0, else `unhealthy`. */
  async assess(threshold = this.settings.history.degradationThreshold): Promise<HealthStatus> {
    const checked = checkArgument(thresholdSchema, threshold, 'threshold')
    return assess(await this.successRate(), checked)
  }

  /** Outcomes in the window. */
  async historySize(): Promise<number> {
    return (await this.snapshot()).historyTotal
  }

  /** The newest runs of equal outcomes in the window, oldest first; `count` runs at most, default 100. */
  async history(options: { readonly count?: number } = {}): Promise<readonly HistoryEntry[]> {
    const { count } = checkArgument(countSchema, options, 'history')
    const { at } = await this.snapshot()
    return this.#context.store.history(this.id, count, at - this.settings.history.windowMs)
  }

  /**
   * The provider's health: its mark, else `unhealthy` while the circuit is not closed, else what the history says, which is
   * `degraded` at worst where no outcome of the window failed.
   */
  async status(): Promise<HealthStatus> {
    return (await this.snapshot()).health
  }

  /** Whether `status()` is healthy or degraded. */
  async isHealthy(): Promise<boolean> {
    const status = await this.status()
    return status === 'healthy' || status === 'degraded'
  }

  /** All there is to know, read from Redis. */
  snapshot(): Promise<Snapshot> {
    return this.#core.snapshot()
  }

  /**
   * What this process knows without asking; undefined after a removal. Counters, and what is known of probes, may lag behind. While Redis is lost, or
   * refuses the commands of this provider, its source is `fallback`, and with `onRedisDown: 'local'` it is the circuit that decides in this process.
   */
  peek(): Snapshot | undefined {
    return this.#core.peek()
  }

  /** The newest events, oldest first; `count` at most, default 100. */
  async events(options: { readonly count?: number } = {}): Promise<readonly ProviderEvent[]> {
    const { count } = checkArgument(countSchema, options, 'events')
    // An empty stream is one thing, a removed provider another.
    await this.#core.readSnapshot()
    return this.#context.store.events(this.id, count)
  }

  /** The newest outages that ended, oldest first; `count` at most, default 100, which is as many as are kept. */
  async outages(options: { readonly count?: number } = {}): Promise<readonly Outage[]> {
    const { count } = checkArgument(countSchema, options, 'outages')
    await this.#core.readSnapshot()
    return this.#context.store.outages(this.id, count)
  }

  /** Resolves when every outcome recorded before has been applied. */
  flush(): Promise<void> {
    return this.#core.outbox.drain()
  }
}
