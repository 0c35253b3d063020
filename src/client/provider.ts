import { checkArgument } from '../config/check.js'
import {
  controlSchema,
  countSchema,
  heartbeatSchema,
  markSchema,
  thresholdSchema,
  tripSchema,
} from '../config/options.js'
import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import type { Change, ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { ControlRequest, KnownReply, Reply, SettingsReply, Store } from '../model/ports.js'
import type { Settings } from '../model/settings.js'
import type { HistoryEntry, StoredSnapshot } from '../model/snapshot.js'
import type { CircuitState, HealthStatus, Mark, Outcome } from '../model/words.js'
import { blocksOf } from '../rules/blocks.js'
import { assess } from '../rules/health.js'
import { endsProbes, intervalNow, isStale, overdueAfterMs } from '../rules/probe-interval.js'
import { checkCallEnd } from './admission/permit.js'
import type { Decision, SettleOptions } from './admission/permit.js'
import type { CallContext, ExecuteOptions } from './call/call.js'
import { Caller, type LocalOptions } from './call/caller.js'
import type { Guarded } from './call/execute.js'
import type { ProcessContext } from './context.js'
import type { ProviderSession } from './sync/provider-session.js'
import { Outbox } from './outbox/outbox.js'
import { beginProbe, type ProbeAdmission, type ProbeBeginning } from './probing/probe-ticket.js'
import { presentSnapshot, type Snapshot } from './sync/snapshot.js'

export interface ControlOptions {
  /** Why, in words; at most 500 characters. Shown by `status` and `explain`, kept in the stream of events. */
  readonly reason?: string
  /** Who asks; at most 128 characters, default the worker's id. */
  readonly actor?: string
}

export interface TimedControlOptions extends ControlOptions {
  /** ms until it ends by itself; default: never. */
  readonly forMs?: number | null
}

export interface WrapOptions<F = never> extends ExecuteOptions<F> {
  /** Whether the function is given the context as its first argument. Default false. */
  readonly context?: boolean | undefined
}

/**
 * A process's handle of one provider. Every method asks Redis, unless it says otherwise, and may reject with
 * `RedisUnavailableError` (Redis did not answer; while it is lost, at once), `ProviderRemovedError` (somebody removed the provider) or
 * `BusbarClosedError`.
 */
export class Provider {
  readonly id: string
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #outbox: Outbox
  readonly #caller: Caller

  /** @internal Handles come from `busbar.provider()`. */
  constructor(context: ProcessContext, session: ProviderSession, local: LocalOptions) {
    this.id = session.id
    this.#context = context
    this.#session = session
    this.#outbox = new Outbox(context, session)
    this.#caller = new Caller(context, session, this.#outbox, local)
  }

  /** @internal What is given again for a handle that is there already. */
  configure(local: { [K in keyof LocalOptions]?: LocalOptions[K] | undefined }): void {
    this.#caller.configure(local)
  }

  /** The settings that this process last saw in force. Asks nobody. */
  get settings(): Settings {
    return this.#session.settings.settings
  }

  /** @internal */
  get stored(): SettingsReply {
    return this.#session.settings
  }

  /** Who set them, when (Redis ms), and whether an operator did: then code does not replace them. Asks nobody. */
  get settingsOrigin(): { readonly setBy: string; readonly setAt: number; readonly pinned: boolean } {
    const { setBy, setAt, pinned } = this.#session.settings
    return { setBy, setAt, pinned }
  }

  /**
   * What of the stored settings this version cannot read, in words, because a later one (or a person) wrote it: its default
   * holds in this process, and a probe is left to the workers that know it. Usually empty. Asks nobody.
   */
  get settingsProblems(): readonly string[] {
    return this.#session.settings.unread.flatMap(({ problem }) => problem ?? [])
  }

  /**
   * Runs `fn` if the circuit lets it, and tells the fleet how it ended.
   * @throws CallRefusedError when it was not run (it bears no stack trace); CallTimeoutError; whatever `fn` throws;
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
    const { context: wanted = false, ...rest } = given
    if (typeof wanted !== 'boolean') {
      throw new ArgumentError('context', `context: expected true or false, got ${show(wanted)}`)
    }
    const options = Object.keys(rest).length === 0 ? undefined : rest
    const run = (call: (context: CallContext) => unknown) => this.execute(call, options)
    return function (this: unknown, ...args: unknown[]) {
      return run((context) => Reflect.apply(fn, this, wanted ? [context, ...args] : args))
    }
  }

  /** Whether a call may begin now. A refusal is a value; while Redis is lost, `onRedisDown` says who decides. */
  async admit(): Promise<Decision> {
    return this.#caller.admit()
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
  async reset(options: ControlOptions = {}): Promise<void> {
    const checked = checkArgument(controlSchema, options, 'reset')
    await this.#control('reset', checked, (store, request) => store.reset(this.id, request))
  }

  /** Opens the circuit by hand; half-open follows after `forMs`, without it only a reset ends it. */
  async trip(options: TimedControlOptions = {}): Promise<void> {
    const { forMs, ...checked } = checkArgument(tripSchema, options, 'trip')
    await this.#control('trip', checked, (store, request) => store.trip(this.id, { ...request, forMs }))
  }

  /** Refuses all calls and ends the probes, until `resume`. */
  markUnhealthy(options?: TimedControlOptions): Promise<void> {
    return this.#mark('unhealthy', options)
  }

  /** Says that the provider is slow or partial. Calls and probes go on. */
  markDegraded(options?: TimedControlOptions): Promise<void> {
    return this.#mark('degraded', options)
  }

  /** Says that the provider is gone: refuses all calls and ends the probes, until `resume`. */
  markTerminated(options?: TimedControlOptions): Promise<void> {
    return this.#mark('terminated', options)
  }

  /** Clears the mark; the probes begin again. Nothing happens when there is none. */
  async resume(options: ControlOptions = {}): Promise<void> {
    const checked = checkArgument(controlSchema, options, 'resume')
    await this.#control('resume', checked, (store, request) => store.resume(this.id, request))
  }

  async #mark(mark: Mark, options: TimedControlOptions = {}): Promise<void> {
    const { forMs, ...checked } = checkArgument(markSchema, options, `mark_${mark}`)
    await this.#control(`mark ${mark}`, checked, (store, request) =>
      store.mark(this.id, { ...request, mark, forMs }),
    )
  }

  #control(
    doing: string,
    options: { reason: string; actor?: string | undefined },
    operation: (store: Store, request: ControlRequest) => Promise<Reply>,
  ): Promise<KnownReply<unknown>> {
    const { reason, actor = this.#context.worker } = options
    return this.#session.run(doing, (store) =>
      operation(store, { ...this.#session.caller, actor, reason, notAfterMs: this.#session.notAfterMs }),
    )
  }

  /**
   * The provider reports by itself that it lives, for a probe of kind `heartbeat`. With `progress`, a whole number from 0
   * to 10 000 000 000 000 in units of its own (steps done, bytes read), also how far it has come: any change of it counts.
   * One write; nobody is told.
   */
  async heartbeat(options: { readonly progress?: number | undefined } = {}): Promise<void> {
    const { progress = null } = checkArgument(heartbeatSchema, options, 'heartbeat')
    await this.#session.run('heartbeat', (store) =>
      store.recordHeartbeat(this.id, {
        ...this.#session.caller,
        progress,
        notAfterMs: this.#session.notAfterMs,
      }),
    )
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
  async snapshot(): Promise<Snapshot> {
    const reply = await this.#readSnapshot()
    if (reply.snapshot === null) throw new TypeError(`snapshot ${this.id}: the store sent none`)
    return presentSnapshot(reply.snapshot, await this.#session.currentSettings(), 'redis')
  }

  /**
   * What this process knows without asking; undefined after a removal. Counters, and what is known of probes, may lag behind. While Redis is lost, or
   * refuses the commands of this provider, its source is `fallback`, and with `onRedisDown: 'local'` it is the circuit that decides in this process.
   */
  peek(): Snapshot | undefined {
    if (this.#session.removed) return undefined
    const { withoutStore } = this.#session
    const held = withoutStore ? this.#caller.fallback.snapshot() : this.#session.cache.read()
    const source = withoutStore ? 'fallback' : 'cache'
    if (held === undefined) return undefined
    return presentSnapshot(held, this.#session.settings, source, this.#session.cache.readAt)
  }

  /** The newest events, oldest first; `count` at most, default 100. */
  async events(options: { readonly count?: number } = {}): Promise<readonly ProviderEvent[]> {
    const { count } = checkArgument(countSchema, options, 'events')
    // An empty stream is one thing, a removed provider another.
    await this.#readSnapshot()
    return this.#context.store.events(this.id, count)
  }

  /** The newest outages that ended, oldest first; `count` at most, default 100, which is as many as are kept. */
  async outages(options: { readonly count?: number } = {}): Promise<readonly Outage[]> {
    const { count } = checkArgument(countSchema, options, 'outages')
    await this.#readSnapshot()
    return this.#context.store.outages(this.id, count)
  }

  /** What this process recorded comes before what it reads. */
  async #readSnapshot(): Promise<KnownReply<unknown>> {
    if (this.#outbox.busy) await this.#outbox.drain()
    return this.#session.run('snapshot', (store) => store.snapshot(this.id))
  }

  /** @internal What this process knows of a circuit that is closed, with nothing in the way; else undefined. Copies nothing. */
  get knownFree(): StoredSnapshot | undefined {
    const { cache, settings } = this.#session
    return cache.free && cache.held?.settingsRevision === settings.revision ? cache.held : undefined
  }

  /** @internal The store's time of now, as far as this process knows, ms. Asks nobody. */
  get storeTimeMs(): number {
    return this.#session.storeTimeMs
  }

  /** @internal Of the settings that the newest snapshot known here was judged by. */
  get settingsRevision(): number | undefined {
    return this.#session.cache.held?.settingsRevision
  }

  /** @internal For probe workers. */
  beginProbe(options: ProbeBeginning): Promise<ProbeAdmission> {
    return beginProbe(this.#context, this.#session, this.#outbox, options)
  }

  /** @internal Tells the fleet that a mark has ended, where nobody has written since. */
  announceMarkEnd(): Promise<void> {
    return this.#session.clearEndedMark()
  }

  /** @internal Tells the fleet of a silence of the probes that `seen`, read just now, shows; once, whoever else does. */
  async announceOverdue(seen: StoredSnapshot): Promise<void> {
    const { probe } = this.settings
    if (probe === undefined || endsProbes(seen.mark) || seen.probeOverdueAt !== null) return
    if (!isStale(probe, seen, seen.at)) return
    const request = { overdueMs: overdueAfterMs(probe, seen), intervalMs: intervalNow(probe, seen) }
    await this.#session.run('overdue', (store) =>
      store.overdue(this.id, { ...this.#session.caller, ...request }),
    )
  }

  /** @internal Whether any outcome has not been applied yet. */
  get busy(): boolean {
    return this.#outbox.busy
  }

  /** Resolves when every outcome recorded before has been applied. */
  flush(): Promise<void> {
    return this.#outbox.drain()
  }

  /** @internal The fleet suspects the provider: what this process holds is wanted now. */
  flushNow({ snapshot }: Change): void {
    if (snapshot?.state !== 'closed') return
    if (snapshot.failingBatches >= this.settings.breaker.failureThreshold) this.#outbox.flushNow()
  }

  /** @internal The store answers again: what is still to be written decides nothing. */
  downgradeToHistory(): void {
    this.#outbox.downgradeToHistory()
  }

  /**
   * @internal All was read again. Failures that were counted before the outage are not to wait for this process's next
   * outcome: whatever else came first would look like others who went on. What waits is written now, and a provider whose
   * write was refused shows that it takes one: of a Cluster one master may refuse while the others serve.
   */
  async onStoreRestored(): Promise<void> {
    const held = this.#session.cache.read()
    if (held === undefined || this.#session.removed) return
    const failures = held.consecutiveFailures + held.probeConsecutiveFailures
    if (failures === 0 && !this.#outbox.busy && !this.#session.owesWrite) return
    await this.#outbox.reportOutage()
    if (!this.#outbox.busy) this.#session.owesWrite = false
  }

  /** @internal Gives up what has not been written. Returns how many outcomes that were. */
  stop(): number {
    return this.#outbox.stop()
  }
}
