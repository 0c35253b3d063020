import { checkArgument } from '../config/check.js'
import { checkKeys } from '../config/keys.js'
import { closeSchema, idSchema, observerSchema } from '../config/options.js'
import type { AlertOptions, AlertWorker } from '../model/alerts.js'
import type { AnyEventOf, AnyKind, Change } from '../model/events.js'
import type { Observer } from '../model/observations.js'
import type { SettingsInput } from '../model/settings.js'
import type { SettingsPlan } from './settings-plan.js'
import type { BusbarCore } from './busbar-core.js'
import type { ProviderOptions } from './registry/provider-options.js'
import type { ProcessContext } from './context.js'
import type { GroupOptions } from './group/group-options.js'
import type { Group } from './group/group.js'
import type { ListenerOptions } from './shared/listeners.js'
import type { BusbarParts } from './busbar-parts.js'
import type { ProbeReport } from './probing/probe-ticket.js'
import type { Provider } from './provider.js'
import type { ControlOptions } from './provider-control.js'
import { FleetAlerts } from './fleet-alerts.js'
import { FleetFamilies } from './fleet-families.js'
import { FleetInspection } from './fleet-inspection.js'
import { FleetProviders } from './fleet-providers.js'
import type { Family, FamilyOptions, FamilySettings } from './registry/family.js'
import { FleetProbes, type ProbeNowOptions } from './fleet-probes.js'
import type { ProbeWorker, ProbeWorkerOptions } from './probing/probe-worker.js'

/** The core behind a busbar, for parts of this package that are given no more than the face of it. */
export let coreOf: (busbar: Busbar) => BusbarCore

/** One process's connection to the fleet. */
export class Busbar extends FleetInspection implements AsyncDisposable {
  readonly #core: BusbarCore
  readonly #context: ProcessContext
  readonly #fleet: FleetProviders
  readonly #families: FleetFamilies
  readonly #probes: FleetProbes
  readonly #alerts: FleetAlerts

  static {
    coreOf = (busbar) => busbar.#core
  }

  /** Comes from `connect()`. */
  constructor(parts: BusbarParts) {
    const probes = new FleetProbes(parts.core, parts)
    super(parts, probes)
    this.#core = parts.core
    this.#context = parts.core.context
    this.#fleet = new FleetProviders(parts.core, parts.defaults)
    this.#families = new FleetFamilies(parts.core, this.#fleet)
    this.#probes = probes
    this.#alerts = new FleetAlerts(parts.core, parts)
  }

  /**
   * Registers a provider and gives its handle; the same handle for the same id. With `settings` they become the
   * whole fleet's, unless an operator applied others; without, those in Redis hold, or the defaults where there are none.
   * While Redis does not answer, the handle lives by these settings, or the defaults, and registers when it does.
   * @throws SettingsError naming the path and the value; RedisUnavailableError with `onRedisDown: 'deny'`.
   */
  async provider(id: string, settings?: SettingsInput, options?: ProviderOptions): Promise<Provider> {
    return this.#fleet.register(id, settings, options)
  }

  /**
   * Sets a provider's settings by hand, registering it where it is not: they outrank those that code gives, until
   * they are released. `actor`, default the worker's id, is kept as who set them.
   * @throws SettingsError, CommandLateError, RedisUnavailableError
   */
  async apply(id: string, settings: SettingsInput, options: ControlOptions = {}): Promise<Provider> {
    return this.#fleet.apply(id, settings, options)
  }

  /** Lets code set the settings again: the next registration with settings wins; until then they stay. */
  async release(id: string, options: ControlOptions = {}): Promise<Provider> {
    return this.#fleet.release(id, options)
  }

  /**
   * The changes that `apply` would make: each setting with its value before and after. Writes nothing.
   * @throws SettingsError, RedisUnavailableError
   */
  async plan(id: string, settings: SettingsInput): Promise<SettingsPlan> {
    return this.#fleet.plan(id, settings)
  }

  /** The handle that this process has of a provider; undefined when it has none. */
  get(id: string): Provider | undefined {
    return this.#core.get(id)?.handle
  }

  /** The handle of a registered provider; undefined when it is not registered. Registers nothing. */
  async lookup(id: string): Promise<Provider | undefined> {
    checkArgument(idSchema, id, 'id')
    return (await this.#core.lookup(id))?.handle
  }

  /**
   * Several providers of which any can take a call: those whose setting `group` is this name, or those with these ids. Read
   * from Redis on, it follows registrations and removals. @throws ArgumentError, BusbarClosedError
   */
  group(group: string | readonly string[], options: GroupOptions = {}): Group {
    this.#core.assertOpen()
    return this.#core.groups.open(group, options)
  }

  /**
   * Providers of one kind, one for each tenant, host or the like: `busbar.family('tenant-api').get(tenant)`. The same family for
   * the same name; settings or options, where they are given, hold for members that are registered from now on. With an empty
   * name the ids of the members are their keys. See `Family`.
   * @throws ArgumentError, SettingsError
   */
  family(name: string, settings?: FamilySettings, options?: FamilyOptions): Family {
    this.#core.assertOpen()
    return this.#families.get(name, settings, options)
  }

  /** Ids of all registered providers, the oldest first. */
  async providers(): Promise<string[]> {
    return this.#core.providers()
  }

  /**
   * Removes a provider and all its keys, for the whole fleet. Handles of it answer `ProviderRemovedError`.
   * @throws UnknownProviderError
   */
  async remove(id: string, options: ControlOptions = {}): Promise<void> {
    await this.#fleet.remove(id, options)
  }

  /**
   * Calls `listener` for every event of this kind, or of any kind with `'*'`, in every process. A listener that throws is
   * logged and disturbs nothing else. Returns what takes it off again; so does aborting `signal`. `store_lost` and `store_restored` are of this
   * process alone: Redis does not answer it, and does again.
   */
  on<K extends AnyKind | '*'>(
    kind: K,
    listener: (event: AnyEventOf<K>) => unknown,
    options: ListenerOptions = {},
  ): () => void {
    checkKeys(options, ['signal'], 'on')
    return this.#core.listeners.add(kind, listener, options.signal)
  }

  /**
   * Calls `observer.outcome` for every outcome and `observer.decision` for every decision of this process's calls, on their
   * way: what metrics are counted by. `connect({ onOutcome })` is the same for outcomes, from the beginning. Returns what ends
   * it. @throws ArgumentError
   */
  observe(observer: Observer): () => void {
    checkArgument(observerSchema, observer, 'observe')
    return this.#context.observers.add(observer)
  }

  /**
   * This process also runs probes, from now on. Any number of processes may. Each name of a function or process costs a
   * connection; a process registers 32 at most. A command that Redis does not answer is tried three times, with a pause
   * of `commandTimeoutMs` at most until Redis is back.
   * @throws ArgumentError naming what it does not take; RedisUnavailableError when Redis is away for longer
   */
  async startProbes(options: ProbeWorkerOptions = {}): Promise<ProbeWorker> {
    return this.#probes.start(options)
  }

  /**
   * This process also sends alerts to these hooks, from now on. Any number of processes may, and each event is told once to a
   * hook, by any of them; two or three are enough, for each costs a command an event. Each hook costs a connection. Events
   * from a time without such a process are told when one starts, as far as the streams of events reach (1 000 a provider)
   * and of the last day. See docs/alerts.md.
   * @throws ArgumentError naming the hook and what is wrong with it, never its URL; RedisUnavailableError
   */
  async startAlerts(options: AlertOptions): Promise<AlertWorker> {
    return this.#alerts.start(options)
  }

  /**
   * One health check now, recorded like any probe. A worker of the fleet makes it: a job of the queue, put before all that
   * waits. Where none is there that takes it, this process makes it, if it can: checks in code need a process that
   * registered them with `startProbes`. It is made once at most. A refusal is a value: a mark, a pause, no probe configured,
   * a paused queue, or no process that can make it.
   * @throws UnknownProviderError; RedisUnavailableError, then it may be made all the same
   */
  async probe(id: string, options: ProbeNowOptions = {}): Promise<ProbeReport> {
    return this.#probes.probe(id, options)
  }

  /**
   * Calls `watcher` for every change of any provider, with its events and the new snapshot, in order of arrival; and with
   * `'gap'` where messages may have been missed, so that all must be read again. Returns what ends it. For screens that
   * follow the fleet; `on` is for single kinds of events.
   */
  watch(watcher: (change: Change | 'gap') => void): () => void {
    return this.#core.watch(watcher)
  }

  /** Resolves when every outcome recorded before has been applied, or has failed. */
  async flush(): Promise<void> {
    await this.#core.registry.flush()
  }

  /**
   * Ends probes and alerts, lets calls of `execute` that are under way end, writes their outcomes and gives their leases back, and
   * disconnects. New calls are refused with `BusbarClosedError` from the beginning. It waits for at most `timeoutMs` (0 to 1
   * day, default 5 000), and for one command more where there is still something to write. A trial that has not ended by
   * then settles as `ignored`; outcomes that come later are counted in `counters.outcomesLost`. Permits of `admit()` are
   * not waited for.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = checkArgument(closeSchema, options, 'close')
    return this.#core.close(timeoutMs, [...this.#probes.workers, ...this.#alerts.workers])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
