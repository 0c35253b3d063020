import { checkArgument, checkSettings } from '../config/check.js'
import { checkKeys } from '../config/keys.js'
import {
  closeSchema,
  controlSchema,
  idSchema,
  probesSchema,
  providerOptionsSchema,
  type Consistency,
} from '../config/options.js'
import { resolveSettings } from '../config/settings.js'
import { BusbarClosedError, CommandLateError, UnknownProviderError } from '../model/errors.js'
import type { Change, EventKind, ProviderEvent } from '../model/events.js'
import type { Feed } from '../model/ports.js'
import type { SettingsInput } from '../model/settings.js'
import type { Classify } from './classify.js'
import { Follower } from './follower.js'
import { Link, type Host } from './link.js'
import { Listeners } from './listeners.js'
import type { Counters } from './log.js'
import { Provider } from './provider.js'
import { patiently, within } from './patience.js'

/** What is local to one process and one provider. */
export interface ProviderOptions {
  /** Overrides how calls are judged. */
  readonly classify?: Classify | undefined
  /** `cached` (default): closed and open circuits are judged locally. `strict`: every admission asks Redis. */
  readonly consistency?: Consistency | undefined
}

/** A process that runs probes; see `busbar.startProbes()`. */
export interface ProbeWorker extends AsyncDisposable {
  /** Lets the probes under way end, and stops. */
  close(): Promise<void>
}

export interface ProbeWorkerOptions {
  /** Probes that this process runs at once. 1 to 1 000, default 16. */
  readonly concurrency?: number
}

/** What `connect` puts together. */
export interface BusbarParts {
  readonly host: Host
  readonly feed: Feed
  readonly namespace: string
  readonly defaults: SettingsInput
  readonly consistency: Consistency
  startProbes(busbar: Busbar, concurrency: number): Promise<ProbeWorker>
}

const HEARTBEAT_MS = 30_000

/** One process's connection to the fleet. */
export class Busbar implements AsyncDisposable {
  readonly namespace: string
  readonly #parts: BusbarParts
  readonly #host: Host
  readonly #listeners: Listeners
  readonly #follower: Follower
  readonly #links = new Map<string, Link>()
  readonly #handles = new Map<string, Provider>()
  readonly #probeWorkers = new Set<ProbeWorker>()
  readonly #watchers = new Set<(change: Change | 'gap') => void>()
  #heartbeat: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  /** @internal Comes from `connect()`. */
  constructor(parts: BusbarParts) {
    this.namespace = parts.namespace
    this.#parts = parts
    this.#host = parts.host
    this.#listeners = new Listeners(parts.host.log, parts.host.counters)
    this.#follower = new Follower(parts.host, this.#links)
  }

  /** @internal */
  async open(): Promise<void> {
    await this.#parts.feed.subscribe({
      change: (change) => this.#change(change),
      lost: () => this.#follower.lost(),
      gap: () => this.#gap(),
    })
    this.#follower.start()
    this.#beat()
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
  }

  /** This process's name in events and in `busbar:workers`. */
  get workerId(): string {
    return this.#host.worker
  }

  /** What was swallowed so that the user's work goes on. */
  get counters(): Readonly<Counters> {
    return this.#host.counters
  }

  /**
   * Registers a provider and gives its handle; the same handle for the same id. With `settings` they become the
   * whole fleet's; without, those in Redis hold, or the defaults where there are none.
   * @throws SettingsError naming the path and the value; RedisUnavailableError.
   */
  async provider(id: string, settings?: SettingsInput, options: ProviderOptions = {}): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    checkSettings(providerOptionsSchema, options)
    const resolved = resolveSettings(settings, this.#parts.defaults)
    if (this.#closing !== undefined) throw new BusbarClosedError()
    const { store, worker } = this.#host
    const link = this.#links.get(id)
    const { gaps } = this.#follower
    const mode = settings === undefined ? 'keep' : 'set'
    const { epoch, registered } = await patiently(async () => ({
      epoch: await store.ensureEpoch(),
      registered: await store.register(id, {
        worker,
        knownVersion: link?.cache.version ?? 0,
        settings: resolved,
        mode,
        restore: link?.cache.read() ?? null,
      }),
    }))
    return this.#hold(id, epoch, registered, gaps, options)
  }

  #hold(
    id: string,
    epoch: string,
    registered: Parameters<Link['adopt']>[1],
    gaps: number,
    options: ProviderOptions,
  ): Provider {
    const known = this.#handles.get(id)
    const old = this.#links.get(id)
    if (known !== undefined && old !== undefined) {
      old.adopt(epoch, registered)
      this.#follower.welcome(old, gaps)
      known.configure(options)
      return known
    }
    const link = new Link(this.#host, id, epoch, registered)
    this.#follower.welcome(link, gaps)
    const handle = new Provider(this.#host, link, {
      classify: options.classify,
      consistency: options.consistency ?? this.#parts.consistency,
    })
    this.#links.set(id, link)
    this.#handles.set(id, handle)
    return handle
  }

  /** The handle that this process has of a provider; undefined when it has none. */
  get(id: string): Provider | undefined {
    return this.#handles.get(id)
  }

  /** The handle of a provider that somebody registered; undefined when nobody did. Registers nothing. */
  async lookup(id: string): Promise<Provider | undefined> {
    checkArgument(idSchema, id, 'id')
    this.#assertOpen()
    const { store } = this.#host
    const { gaps } = this.#follower
    const epoch = await store.epoch()
    const [settings, reply] = await Promise.all([store.settings(id), store.snapshot(id)])
    if (epoch === null || settings === null || reply.status !== 'ok') return undefined
    return this.#hold(id, epoch, { ...reply, ...settings }, gaps, {})
  }

  /** Ids of all registered providers, the oldest first. */
  async providers(): Promise<string[]> {
    this.#assertOpen()
    return (await this.#host.store.providers()).map((provider) => provider.id)
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
    const { reason, actor = this.#host.worker } = checkArgument(controlSchema, options, 'remove')
    let notAfterMs = this.#links.get(id)?.notAfterMs ?? Number.MAX_SAFE_INTEGER
    for (let attempt = 1; ; attempt += 1) {
      const { store, worker, commandTimeoutMs } = this.#host
      const reply = await store.remove(id, { worker, knownVersion: 0, reason, actor, notAfterMs })
      if (reply.status === 'unknown_provider') throw new UnknownProviderError(id)
      if (reply.status === 'ok') break
      if (attempt > 1) throw new CommandLateError('remove', id)
      notAfterMs = reply.nowMs + commandTimeoutMs
    }
    this.#links.get(id)?.change({ providerId: id, events: [], snapshot: null })
  }

  /**
   * Calls `listener` for every event of this kind, in every process. A listener that throws is logged and hurts
   * nobody. Returns what takes it off again; so does aborting `signal`.
   */
  on(
    kind: EventKind,
    listener: (event: ProviderEvent) => unknown,
    options: { readonly signal?: AbortSignal } = {},
  ): () => void {
    checkKeys(options, ['signal'], 'on')
    return this.#listeners.add(kind, listener, options.signal)
  }

  /** This process also runs probes, from now on. Any number of processes may. */
  async startProbes(options: ProbeWorkerOptions = {}): Promise<ProbeWorker> {
    const { concurrency } = checkArgument(probesSchema, options, 'startProbes')
    this.#assertOpen()
    const worker = await this.#parts.startProbes(this, concurrency)
    this.#probeWorkers.add(worker)
    return worker
  }

  /** @internal Every change in the namespace, for parts that follow it. */
  watch(watcher: (change: Change | 'gap') => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** @internal */
  get host(): Host {
    return this.#host
  }

  /** Resolves when every outcome recorded before has been applied, or has failed. */
  async flush(): Promise<void> {
    await Promise.all([...this.#handles.values()].map((handle) => handle.flush()))
  }

  /** Ends the probes, writes what is still to be written (for at most `timeoutMs`, default 5 000), and disconnects. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = checkArgument(closeSchema, options, 'close')
    this.#closing ??= this.#close(timeoutMs)
    return this.#closing
  }

  async #close(timeoutMs: number): Promise<void> {
    clearInterval(this.#heartbeat)
    const drained = (async () => {
      await Promise.all([...this.#probeWorkers].map((worker) => worker.close()))
      await this.flush()
    })()
    await within(drained, timeoutMs)
    this.#host.closed = true
    this.#follower.stop()
    const lost = [...this.#handles.values()].reduce((sum, handle) => sum + handle.stop(), 0)
    if (lost > 0) this.#host.log.warn({ outcomes: lost }, 'closed before these outcomes could be written')
    await this.#parts.feed.close()
    await this.#host.store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new BusbarClosedError()
  }

  #change(change: Change): void {
    this.#links.get(change.providerId)?.change(change)
    this.#handles.get(change.providerId)?.hurry(change)
    for (const event of change.events) this.#listeners.emit(event)
    for (const watcher of this.#watchers) watcher(change)
  }

  /** Messages may have been missed: everything this process follows is read again. */
  #gap(): void {
    this.#follower.subscribed()
    for (const watcher of this.#watchers) watcher('gap')
  }

  #beat(): void {
    this.#host.store.heartbeat(this.#host.worker).catch((error: unknown) => {
      this.#host.counters.connectionErrors += 1
      this.#host.log.debug({ err: error }, 'heartbeat not written')
    })
  }
}
