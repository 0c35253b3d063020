import type { Consistency, OnRedisDown } from '../../config/options.js'
import { BusbarClosedError, isBusbarError, isProviderTrouble } from '../../model/errors.js'
import type { Change } from '../../model/events.js'
import type { RegisterRequest } from '../../model/ports.js'
import type { Settings } from '../../model/settings.js'
import type { Classify } from '../call/classify.js'
import { SnapshotSync } from '../sync/snapshot-sync.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import { PendingRegistrations } from './pending-registrations.js'
import { AdaptiveLimit } from '../shared/adaptive-limit.js'
import type { ProcessContext } from '../context.js'
import { ProviderSession } from '../sync/provider-session.js'
import { retryUnavailable } from '../outage/retry-unavailable.js'
import { Provider } from '../provider.js'
import { RemovedHandles } from './removed-handles.js'

/** What is local to one process and one provider. */
export interface ProviderOptions {
  /** Overrides how calls are judged. */
  readonly classify?: Classify | undefined
  /** `cached` (default): closed and open circuits are judged locally. `strict`: every admission asks Redis. */
  readonly consistency?: Consistency | undefined
  /** How calls are decided while Redis does not answer; default what `connect` was given. */
  readonly onRedisDown?: OnRedisDown | undefined
  /** The `timeoutMs` of calls that name none, ms. 1 ms to 1 day, default: none. */
  readonly timeoutMs?: number | undefined
}

/** What a handle is made with where nothing else was said. */
export interface ProviderDefaults {
  readonly consistency: Consistency
  readonly onRedisDown: OnRedisDown
}

/** Providers whose store is told of an outage at once. */
const REPORTS_AT_ONCE = 64
/** Registrations under way at once. */
const REGISTRATIONS = { first: 64, least: 8, most: 512 } as const
/** A registration is three commands, one after the other: each then takes half of what it may. */
const COMMAND_TIMEOUTS = 1.5
/** Providers whose outcomes are written at once. */
const FLUSHES_AT_ONCE = 64

interface Held {
  readonly session: ProviderSession
  readonly handle: Provider
}

/**
 * The providers that one process has handles of: how they are registered, also while the store is lost, and what keeps
 * them fresh. One handle and one session for each id, until the provider is removed: then they are let go, unless the user
 * holds them.
 */
export class ProviderRegistry {
  readonly #context: ProcessContext
  readonly #defaults: ProviderDefaults
  readonly #sessions = new Map<string, ProviderSession>()
  readonly #handles = new Map<string, Provider>()
  readonly #removed = new RemovedHandles<Held>()
  readonly #joining: PendingRegistrations
  readonly #registrations: AdaptiveLimit
  readonly sync: SnapshotSync

  constructor(context: ProcessContext, defaults: ProviderDefaults) {
    this.#context = context
    this.#defaults = defaults
    const targetMs = COMMAND_TIMEOUTS * context.commandTimeoutMs
    this.#registrations = new AdaptiveLimit({ ...REGISTRATIONS, targetMs, clock: context.clock })
    this.sync = new SnapshotSync(context, this.#sessions)
    this.#joining = new PendingRegistrations(context, { get: (id) => this.#find(id)?.session })
  }

  get(id: string): Provider | undefined {
    return this.#handles.get(id)
  }

  /** The session of a handle that there is. */
  session(id: string): ProviderSession | undefined {
    return this.#sessions.get(id)
  }

  /** Also of a provider that was removed, while the user holds the handle. */
  #find(id: string): Held | undefined {
    const [session, handle] = [this.#sessions.get(id), this.#handles.get(id)]
    return session !== undefined && handle !== undefined ? { session, handle } : this.#removed.get(id)
  }

  /** @throws RedisUnavailableError, CommandLateError; UnknownProviderError when there is nothing to release. */
  async register(
    id: string,
    settings: Settings,
    request: Pick<RegisterRequest, 'mode' | 'byHand'>,
    options: ProviderOptions = {},
  ): Promise<Provider> {
    const { store, worker, watch, commandTimeoutMs } = this.#context
    const session = this.#find(id)?.session
    const { gaps } = this.sync
    const { epoch, registered } = await retryUnavailable(watch, commandTimeoutMs, () =>
      this.#registrations.run(async () => ({
        epoch: await store.ensureEpoch(),
        registered: await store.register(id, {
          worker,
          knownVersion: session?.cache.version ?? 0,
          settings,
          restore: session?.cache.read() ?? null,
          ...request,
        }),
      })),
    )
    return this.#hold(id, epoch, registered, gaps, options)
  }

  /**
   * The same; where the store is lost, or refuses this provider alone, a handle that joins when it is back.
   * @throws where there is to be none.
   */
  async registerOrWait(
    id: string,
    settings: Settings,
    mode: 'keep' | 'set',
    options: ProviderOptions = {},
  ): Promise<Provider> {
    try {
      return await this.register(id, settings, { mode }, options)
    } catch (error) {
      const onRedisDown = options.onRedisDown ?? this.#defaults.onRedisDown
      const lost = this.#context.watch.lost && isBusbarError(error, 'redis_unavailable')
      const refused = isProviderTrouble(error)
      if (!(lost || refused) || onRedisDown === 'deny') throw error
      this.#joining.add(id, { settings, mode })
      const known = this.#find(id)?.handle
      known?.configure(options)
      const handle = known ?? this.#hold(id, '', this.#joining.provisional(settings), -1, options)
      if (refused) this.#find(id)?.session.refused(error, () => this.#joining.register(id))
      return handle
    }
  }

  /** The handle of a provider that somebody registered; undefined when nobody did. */
  async lookup(id: string): Promise<Provider | undefined> {
    const { store } = this.#context
    const { gaps } = this.sync
    const epoch = await store.epoch()
    const [settings, reply] = await Promise.all([store.settings(id), store.snapshot(id)])
    if (epoch === null || settings === null || reply.status !== 'ok') return undefined
    return this.#hold(id, epoch, { ...reply, ...settings }, gaps, {})
  }

  #hold(
    id: string,
    epoch: string,
    registered: Parameters<ProviderSession['adopt']>[1],
    gaps: number,
    options: ProviderOptions,
  ): Provider {
    const known = this.#find(id)
    if (known !== undefined) {
      known.session.adopt(epoch, registered)
      this.sync.welcome(known.session, gaps)
      known.handle.configure(options)
      return known.handle
    }
    if (this.#context.calls.closing) throw new BusbarClosedError()
    const session = new ProviderSession(this.#context, id, epoch, registered)
    this.sync.welcome(session, gaps)
    const handle = new Provider(this.#context, session, {
      classify: options.classify,
      timeoutMs: options.timeoutMs,
      consistency: options.consistency ?? this.#defaults.consistency,
      onRedisDown: options.onRedisDown ?? this.#defaults.onRedisDown,
    })
    this.#keep({ session, handle })
    return handle
  }

  #keep(held: Held): void {
    const { session, handle } = held
    this.#sessions.set(session.id, session)
    this.#handles.set(session.id, handle)
    // The session itself holds `held`, so that it lives exactly as long as the handle does.
    session.onRemoved = (removed) => {
      if (removed) this.#letGo(held)
      else {
        this.#removed.delete(session.id, held)
        this.#keep(held)
        // The store may have been lost, or come back, while nothing followed it.
        session.suspend()
      }
    }
  }

  #letGo(held: Held): void {
    const { id } = held.session
    this.#sessions.delete(id)
    this.#handles.delete(id)
    this.#removed.add(id, held)
  }

  /** A change that the store announced. */
  change(change: Change): void {
    const held = this.#find(change.providerId)
    held?.session.change(change)
    held?.handle.flushNow(change)
  }

  /** The store answers again: what is still to be written decides nothing. */
  demote(): void {
    for (const handle of this.#handles.values()) handle.downgradeToHistory()
  }

  /** Subscribed again as well: whoever waits joins, all is read, and the store is told of the outage. */
  async catchUp(): Promise<void> {
    await this.#joining.registerAll()
    await this.sync.catchUp()
    await forEachLimit([...this.#handles.values()], REPORTS_AT_ONCE, (handle) => handle.onStoreRestored())
  }

  /** A few at a time: the batches of thousands at once would wait for each other longer than a command may. */
  async flush(): Promise<void> {
    const busy = [...this.#handles.values()].filter((handle) => handle.busy)
    await forEachLimit(busy, FLUSHES_AT_ONCE, (handle) => handle.flush())
  }

  /** From now on every call is refused; those under way go on. */
  refuseCalls(): void {
    this.#context.calls.closing = true
    for (const session of this.#sessions.values()) session.cache.close()
  }

  /** Gives up what has not been written. Returns how many outcomes that were. */
  stop(): number {
    this.sync.stop()
    return [...this.#handles.values()].reduce((sum, handle) => sum + handle.stop(), 0)
  }
}
