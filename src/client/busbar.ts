import { checkArgument, checkSettings } from '../config/check.js'
import { checkKeys } from '../config/keys.js'
import {
  closeSchema,
  controlSchema,
  idSchema,
  probeNowSchema,
  probesSchema,
  providerOptionsSchema,
} from '../config/options.js'
import { resolveSettings } from '../config/settings.js'
import { BusbarClosedError, CommandLateError, redisFailure, UnknownProviderError } from '../model/errors.js'
import type { AnyEventOf, AnyKind, Change } from '../model/events.js'
import type { Inspection } from '../model/inspection.js'
import type { ByHand, Feed, Planned, ProbeQueueState, Timer } from '../model/ports.js'
import type { ProbeFunction, ProcessSource } from '../model/probe.js'
import type { SettingsInput } from '../model/settings.js'
import { planSettings, type SettingsPlan } from './settings-plan.js'
import {
  ProviderRegistry,
  type ProviderDefaults,
  type ProviderOptions,
} from './registry/provider-registry.js'
import type { ProcessContext } from './context.js'
import { Listeners } from './shared/listeners.js'
import type { Counters } from './shared/log.js'
import type { ProbeReport } from './probing/probe-ticket.js'
import type { ControlOptions, Provider } from './provider.js'
import { SettingsIntake } from './registry/settings-intake.js'
import { withTimeout } from './outage/retry-unavailable.js'
import type {
  CheckedProbeWorkerOptions,
  ProbeWorker,
  ProbeWorkerOptions,
  RegisteredChecks,
} from './probing/probe-worker.js'
import { checkNames } from './probing/registered-names.js'

export interface ListenerOptions {
  /** Takes the listener off again. */
  readonly signal?: AbortSignal
}

/** See `busbar.schedules()`. */
export interface ProbeSchedules {
  readonly planned: readonly Planned[]
  readonly queues: readonly ProbeQueueState[]
}

export interface ProbeNowOptions {
  /**
   * How long the result of a worker is waited for, ms. 1 to 1 day; default: the `timeoutMs` of the probe, and 5 000. A probe
   * that no worker has taken by then is not made.
   */
  readonly timeoutMs?: number | undefined
}

/** A health check that somebody asks for. */
export interface ProbeRequest {
  readonly id: string
  /** What this process gave to its probe workers. */
  readonly registered: RegisteredChecks
  readonly timeoutMs: number | undefined
}

/** What `connect` puts together. */
export interface BusbarParts extends ProviderDefaults {
  readonly context: ProcessContext
  readonly feed: Feed
  readonly namespace: string
  readonly defaults: SettingsInput
  startProbes(busbar: Busbar, options: CheckedProbeWorkerOptions): Promise<ProbeWorker>
  probe(busbar: Busbar, request: ProbeRequest): Promise<ProbeReport>
  inspect(): Promise<Omit<Inspection, 'pausedProbeQueues'>>
}

const HEARTBEAT_MS = 30_000

/** One process's connection to the fleet. */
export class Busbar implements AsyncDisposable {
  readonly namespace: string
  readonly #parts: BusbarParts
  readonly #context: ProcessContext
  readonly #listeners: Listeners
  readonly #registry: ProviderRegistry
  readonly #intake: SettingsIntake
  readonly #probeWorkers = new Set<ProbeWorker>()
  readonly #registered = {
    processes: new Map<string, ProcessSource>(),
    functions: new Map<string, ProbeFunction>(),
  }
  readonly #watchers = new Set<(change: Change | 'gap') => void>()
  #subscribing = false
  #heartbeat: Timer | undefined
  #closing: Promise<void> | undefined

  /** @internal Comes from `connect()`. */
  constructor(parts: BusbarParts) {
    this.namespace = parts.namespace
    this.#parts = parts
    this.#context = parts.context
    this.#listeners = new Listeners(parts.context.log, parts.context.counters)
    this.#registry = new ProviderRegistry(parts.context, parts)
    this.#intake = new SettingsIntake(parts.defaults)
  }

  /** @internal Where the store is lost from the beginning, it begins without it, and joins later. */
  async open(): Promise<void> {
    const { watch, wallClock } = this.#context
    watch.setListener({
      lost: (reason) => {
        this.#registry.sync.storeLost()
        this.#listeners.emit({ kind: 'store_lost', reason, outageMs: 0, at: wallClock.now() })
      },
      returning: () => this.#returning(),
      restored: (outageMs) => {
        this.#registry.sync.storeRestored()
        this.#listeners.emit({ kind: 'store_restored', reason: '', outageMs, at: wallClock.now() })
      },
    })
    let subscribed = false
    if (!watch.lost) {
      subscribed = await this.#subscribe().catch((error: unknown) => {
        if (redisFailure(error) === 'permanent') throw error
        return this.#notSubscribed(error)
      })
    }
    this.#registry.sync.start(subscribed)
    this.#touchWorker()
    this.#heartbeat = this.#context.timers.every(HEARTBEAT_MS, () => this.#touchWorker()).unref()
  }

  /** Whether messages come from now on. One that cannot subscribe yet goes on trying; `gap` follows when it has. */
  async #subscribe(): Promise<boolean> {
    this.#subscribing = true
    await this.#parts.feed.subscribe({
      change: (change) => this.#change(change),
      lost: () => {
        this.#registry.sync.lost()
        // Redis itself may be gone: an idle process would not notice, and its next call would be the one to wait.
        this.#context.store.epoch().catch(() => undefined)
      },
      gap: () => this.#gap(),
    })
    return true
  }

  /** Until messages come, every decision asks Redis. */
  #notSubscribed(error: unknown): false {
    this.#context.counters.connectionErrors += 1
    this.#context.log.warn({ err: error }, 'not subscribed yet: every decision asks Redis until it is')
    return false
  }

  /** Redis answers again. Calls are decided without it until all of this is done. */
  async #returning(): Promise<void> {
    this.#registry.demote()
    if (this.#subscribing) await this.#parts.feed.confirm()
    else if (await this.#subscribe().catch((error: unknown) => this.#notSubscribed(error)))
      this.#registry.sync.subscribed()
    await this.#registry.catchUp()
  }

  /** Since when Redis has not answered this process, ms since 1970 on its own clock; undefined while it answers. */
  get degradedSince(): number | undefined {
    return this.#context.watch.since
  }

  /** This process's name in events and in `busbar:workers`. */
  get workerId(): string {
    return this.#context.worker
  }

  /** What was swallowed so that the user's work goes on. */
  get counters(): Readonly<Counters> {
    return this.#context.counters
  }

  /**
   * Registers a provider and gives its handle; the same handle for the same id. With `settings` they become the
   * whole fleet's, unless an operator applied others; without, those in Redis hold, or the defaults where there are none.
   * While Redis does not answer, the handle lives by these settings, or the defaults, and registers when it does.
   * @throws SettingsError naming the path and the value; RedisUnavailableError with `onRedisDown: 'deny'`.
   */
  async provider(id: string, settings?: SettingsInput, options?: ProviderOptions): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    if (options !== undefined) checkSettings(providerOptionsSchema, options)
    this.#assertOpen()
    const resolved = await this.#intake.resolve(settings)
    const mode = settings === undefined ? 'keep' : 'set'
    this.#assertOpen() // it may have been closed meanwhile
    const handle = await this.#registry.registerOrWait(id, resolved, mode, options)
    const { pinned, setBy } = handle.settingsOrigin
    if (settings !== undefined && pinned && planSettings(id, handle.stored, resolved).changes.length > 0) {
      this.#context.log.info(
        { provider: id, setBy },
        'an operator applied other settings, which outrank these',
      )
    }
    return handle
  }

  /**
   * Sets a provider's settings by hand, registering it where nobody did: they outrank those that code gives, until
   * they are released. `actor`, default the worker's id, is kept as who set them.
   * @throws SettingsError, CommandLateError, RedisUnavailableError
   */
  async apply(id: string, settings: SettingsInput, options: ControlOptions = {}): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    const resolved = resolveSettings(settings, this.#parts.defaults)
    const byHand = this.#byHand(id, 'apply', options)
    this.#assertOpen()
    return this.#registry.register(id, resolved, { mode: 'set', byHand })
  }

  /** Lets code set the settings again: the next registration with settings wins; until then they stay. */
  async release(id: string, options: ControlOptions = {}): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    const byHand = this.#byHand(id, 'release', options)
    this.#assertOpen()
    return this.#registry.register(id, resolveSettings(), { mode: 'release', byHand })
  }

  #byHand(id: string, doing: string, options: ControlOptions): ByHand {
    const { reason, actor = '' } = checkArgument(controlSchema, options, doing)
    const notAfterMs = this.#registry.session(id)?.notAfterMs ?? null
    return { operator: actor === '' ? this.#context.worker : actor, reason, notAfterMs }
  }

  /** @internal What `apply` would change. Writes nothing. */
  async plan(id: string, settings: SettingsInput): Promise<SettingsPlan> {
    checkArgument(idSchema, id, 'id')
    const resolved = resolveSettings(settings, this.#parts.defaults)
    this.#assertOpen()
    return planSettings(id, await this.#context.store.settings(id), resolved)
  }

  /** The handle that this process has of a provider; undefined when it has none. */
  get(id: string): Provider | undefined {
    return this.#registry.get(id)
  }

  /** The handle of a provider that somebody registered; undefined when nobody did. Registers nothing. */
  async lookup(id: string): Promise<Provider | undefined> {
    checkArgument(idSchema, id, 'id')
    this.#assertOpen()
    return this.#registry.lookup(id)
  }

  /** Ids of all registered providers, the oldest first. */
  async providers(): Promise<string[]> {
    this.#assertOpen()
    return (await this.#context.store.providers()).map((provider) => provider.id)
  }

  /**
   * Removes a provider and all its keys, for the whole fleet. Handles of it answer `ProviderRemovedError`.
   * @throws UnknownProviderError
   */
  async remove(
    id: string,
    options: { readonly reason?: string; readonly actor?: string } = {},
  ): Promise<void> {
    checkArgument(idSchema, id, 'id')
    this.#assertOpen()
    const { reason, actor = this.#context.worker } = checkArgument(controlSchema, options, 'remove')
    let notAfterMs = this.#registry.session(id)?.notAfterMs ?? Number.MAX_SAFE_INTEGER
    for (let attempt = 1; ; attempt += 1) {
      const { store, worker, commandTimeoutMs } = this.#context
      const reply = await store.remove(id, { worker, knownVersion: 0, reason, actor, notAfterMs })
      if (reply.status === 'unknown_provider') throw new UnknownProviderError(id)
      if (reply.status === 'ok') break
      if (attempt > 1) throw new CommandLateError('remove', id)
      notAfterMs = reply.nowMs + commandTimeoutMs
    }
    this.#registry.session(id)?.change({ providerId: id, events: [], snapshot: null })
  }

  /**
   * Calls `listener` for every event of this kind, in every process. A listener that throws is logged and hurts
   * nobody. Returns what takes it off again; so does aborting `signal`. `store_lost` and `store_restored` are of this
   * process alone: Redis does not answer it, and does again.
   */
  on<K extends AnyKind>(
    kind: K,
    listener: (event: AnyEventOf<K>) => unknown,
    options: ListenerOptions = {},
  ): () => void {
    checkKeys(options, ['signal'], 'on')
    return this.#listeners.add(kind, listener, options.signal)
  }

  /**
   * This process also runs probes, from now on. Any number of processes may. Each name of a function or process costs a
   * connection; a process registers 32 at most. A command that Redis does not answer is tried three times, with a pause
   * of `commandTimeoutMs` at most until Redis is back.
   * @throws ArgumentError naming what it does not take; RedisUnavailableError when Redis is away for longer
   */
  async startProbes(options: ProbeWorkerOptions = {}): Promise<ProbeWorker> {
    const checked = checkArgument(probesSchema, options, 'startProbes')
    this.#assertOpen()
    checkNames(this.#registered, checked)
    const worker = await this.#parts.startProbes(this, checked)
    this.#probeWorkers.add(worker)
    for (const [name, fn] of checked.functions) this.#registered.functions.set(name, fn)
    for (const [name, source] of checked.processes) this.#registered.processes.set(name, source)
    return worker
  }

  /**
   * One health check now, recorded like any probe. A worker of the fleet makes it: a job of the queue, put before all that
   * waits. Where none is there that takes it, this process makes it, if it can: checks in code need a process that
   * registered them with `startProbes`. It is made once at most. A refusal is a value: a mark, a pause, no probe configured,
   * a paused queue, or nobody who can make it.
   * @throws UnknownProviderError; RedisUnavailableError, then it may be made all the same
   */
  async probe(id: string, options: ProbeNowOptions = {}): Promise<ProbeReport> {
    checkArgument(idSchema, id, 'id')
    const { timeoutMs } = checkArgument(probeNowSchema, options, 'probe')
    this.#assertOpen()
    return this.#parts.probe(this, { id, registered: this.#registered, timeoutMs })
  }

  /**
   * Probe queues of the fleet that somebody paused (`queue.pause()` of BullMQ), by the names of their keys, such as
   * `{busbar}:probes`: none of their probes runs until `queue.resume()`. Usually empty.
   * @throws RedisUnavailableError
   */
  async pausedProbeQueues(): Promise<readonly string[]> {
    this.#assertOpen()
    return (await this.#context.schedule?.pausedQueues()) ?? []
  }

  /**
   * The work of the fleet's probe workers: every provider that is to be probed, when its next probe is due and by which
   * queue, and the queues. One read of it all; O(providers).
   * @throws RedisUnavailableError
   */
  async schedules(): Promise<ProbeSchedules> {
    this.#assertOpen()
    const { schedule } = this.#context
    if (schedule === undefined) return { planned: [], queues: [] }
    const [planned, known] = await Promise.all([schedule.list(), schedule.queues()])
    // No worker has ever registered what these need.
    const codes = new Set(planned.map(({ code }) => code))
    for (const { code } of known) codes.delete(code)
    codes.delete('')
    const others = await Promise.all([...codes].map((code) => schedule.queueOf(code)))
    return { planned, queues: [...known, ...others] }
  }

  /** @internal What there is to know of the Redis behind it. */
  async inspect(): Promise<Inspection> {
    this.#assertOpen()
    return { ...(await this.#parts.inspect()), pausedProbeQueues: await this.pausedProbeQueues() }
  }

  /** @internal Every change in the namespace, for parts that follow it. */
  watch(watcher: (change: Change | 'gap') => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** @internal */
  get context(): ProcessContext {
    return this.#context
  }

  /** Resolves when every outcome recorded before has been applied, or has failed. */
  async flush(): Promise<void> {
    await this.#registry.flush()
  }

  /**
   * Ends the probes, lets calls of `execute` that are under way end, writes their outcomes and gives their leases back, and
   * disconnects. New calls are refused with `BusbarClosedError` from the beginning. It waits for at most `timeoutMs` (0 to 1
   * day, default 5 000), and for one command more where there is still something to write. A trial that has not ended by
   * then settles as `ignored`; outcomes that come later are counted in `counters.outcomesLost`. Permits of `admit()` are
   * not waited for.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = checkArgument(closeSchema, options, 'close')
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#heartbeat?.clear()
    const { calls, clock, commandTimeoutMs, log, timers } = this.#context
    const until = clock.now() + timeoutMs
    this.#registry.refuseCalls()
    const workers = [...this.#probeWorkers].map((worker) => worker.close())
    await withTimeout(Promise.all([calls.ended(), ...workers]), timeoutMs, timers)
    if (calls.count > 0) log.warn({ calls: calls.count }, 'closed while these calls were under way')
    const written = Promise.all([calls.giveBack(), this.flush()])
    await withTimeout(written, Math.max(until - clock.now(), commandTimeoutMs), timers)
    this.#context.closed = true
    this.#context.watch.stop()
    const lost = this.#registry.stop()
    if (lost > 0) this.#context.log.warn({ outcomes: lost }, 'closed before these outcomes could be written')
    await this.#parts.feed.close()
    await this.#context.store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new BusbarClosedError()
  }

  #change(change: Change): void {
    this.#registry.change(change)
    for (const event of change.events) this.#listeners.emit(event)
    for (const watcher of this.#watchers) watcher(change)
  }

  /** Messages may have been missed: everything this process follows is read again. */
  #gap(): void {
    this.#registry.sync.subscribed()
    for (const watcher of this.#watchers) watcher('gap')
  }

  #touchWorker(): void {
    this.#context.store.touchWorker(this.#context.worker).catch((error: unknown) => {
      this.#context.counters.connectionErrors += 1
      this.#context.log.debug({ err: error }, 'heartbeat not written')
    })
  }
}
