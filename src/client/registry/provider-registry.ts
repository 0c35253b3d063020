import { BusbarClosedError, isBusbarError, isProviderTrouble } from '../../model/errors.js'
import type { Change } from '../../model/events.js'
import type { RegisterRequest } from '../../model/ports/store-requests.js'
import type { Settings } from '../../model/settings.js'
import { SnapshotSync } from '../sync/snapshot-sync.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import { PendingRegistrations } from './pending-registrations.js'
import { AdaptiveLimit } from '../shared/adaptive-limit.js'
import type { ProcessContext } from '../context.js'
import { ProviderSession } from '../sync/provider-session.js'
import { retryUnavailable } from '../outage/retry-unavailable.js'
import { ProviderCore } from '../provider-core.js'
import { Provider } from '../provider.js'
import type { ProviderDefaults, ProviderOptions } from './provider-options.js'
import { LetGoHandles } from './let-go-handles.js'

/** Providers whose store is told of an outage at once. */
const REPORTS_AT_ONCE = 64
/** Registrations under way at once. */
const REGISTRATIONS = { first: 64, least: 8, most: 512 } as const
/** A registration is three commands, one after the other: each then takes half of what it may. */
const COMMAND_TIMEOUTS = 1.5
/** Providers whose outcomes are written at once. */
const FLUSHES_AT_ONCE = 64

/** The store's answer about a provider. */
interface Registration {
  /** Empty while the store has not answered. */
  readonly epoch: string
  readonly registered: Parameters<ProviderSession['adopt']>[1]
  /** How many gaps the subscription had before the store was asked; -1: its snapshot is not followed yet. */
  readonly gaps: number
}

/** A provider that this process knows: its parts, and the handle of it that users hold. */
export interface Held {
  readonly core: ProviderCore
  readonly handle: Provider
}

/**
 * The providers that one process has handles of: how they are registered, also while the store is lost, and what keeps
 * them fresh. One handle and one session for each id, until the provider is removed, or its family
 * has no room for it: then they are let go, unless they are in use.
 */
export class ProviderRegistry {
  readonly #context: ProcessContext
  readonly #defaults: ProviderDefaults
  readonly #sessions = new Map<string, ProviderSession>()
  readonly #held = new Map<string, Held>()
  readonly #unheld = new LetGoHandles<Held>()
  readonly #pending: PendingRegistrations
  readonly #registrations: AdaptiveLimit
  readonly sync: SnapshotSync
  /** Told of each provider that this process has a handle of from now on. */
  onHeld: ((core: ProviderCore) => void) | undefined

  constructor(context: ProcessContext, defaults: ProviderDefaults) {
    this.#context = context
    this.#defaults = defaults
    const targetMs = COMMAND_TIMEOUTS * context.commandTimeoutMs
    this.#registrations = new AdaptiveLimit({ ...REGISTRATIONS, targetMs, clock: context.clock })
    this.sync = new SnapshotSync(context, this.#sessions)
    this.#pending = new PendingRegistrations(context, { get: (id) => this.#find(id)?.core.session })
  }

  get(id: string): Held | undefined {
    return this.#held.get(id)
  }

  *cores(): Iterable<ProviderCore> {
    for (const { core } of this.#held.values()) yield core
  }

  /** Also one that was let go, while it is in use. */
  #find(id: string): Held | undefined {
    return this.#held.get(id) ?? this.#unheld.get(id)
  }

  /** @throws RedisUnavailableError, CommandLateError; UnknownProviderError when there is nothing to release. */
  async register(
    id: string,
    settings: Settings,
    request: Pick<RegisterRequest, 'mode' | 'byHand'>,
    options: ProviderOptions = {},
  ): Promise<Held> {
    const { store, worker, watch, commandTimeoutMs } = this.#context
    const session = this.#find(id)?.core.session
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
    return this.#hold(id, { epoch, registered, gaps }, options)
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
  ): Promise<Held> {
    try {
      return await this.register(id, settings, { mode }, options)
    } catch (error) {
      const onRedisDown = options.onRedisDown ?? this.#defaults.onRedisDown
      const lost = this.#context.watch.lost && isBusbarError(error, 'redis_unavailable')
      const refused = isProviderTrouble(error)
      if (!(lost || refused) || onRedisDown === 'deny') throw error
      this.#pending.add(id, { settings, mode })
      const known = this.#find(id)
      known?.core.caller.configure(options)
      const registered = this.#pending.provisional(settings)
      const held = known ?? this.#hold(id, { epoch: '', registered, gaps: -1 }, options)
      if (refused) held.core.session.refused(error, () => this.#pending.register(id))
      return held
    }
  }

  /** A registered provider; undefined when there is none. */
  async lookup(id: string): Promise<Held | undefined> {
    const { store } = this.#context
    const { gaps } = this.sync
    const epoch = await store.epoch()
    const [settings, reply] = await Promise.all([store.settings(id), store.snapshot(id)])
    if (epoch === null || settings === null || reply.status !== 'ok') return undefined
    return this.#hold(id, { epoch, registered: { ...reply, ...settings }, gaps }, {})
  }

  #hold(id: string, { epoch, registered, gaps }: Registration, options: ProviderOptions): Held {
    const known = this.#find(id)
    if (known !== undefined) {
      const { session, caller } = known.core
      session.adopt(epoch, registered)
      if (this.#held.get(id) !== known) this.#takeBack(known)
      this.sync.welcome(session, gaps)
      caller.configure(options)
      return known
    }
    if (this.#context.calls.closing) throw new BusbarClosedError()
    const session = new ProviderSession(this.#context, id, epoch, registered)
    this.sync.welcome(session, gaps)
    const core = new ProviderCore(this.#context, session, {
      classify: options.classify,
      timeoutMs: options.timeoutMs,
      consistency: options.consistency ?? this.#defaults.consistency,
      onRedisDown: options.onRedisDown ?? this.#defaults.onRedisDown,
    })
    const held = { core, handle: new Provider(core, this.#context) }
    this.#keep(held)
    return held
  }

  #keep(held: Held): void {
    const { id, session } = held.core
    this.#sessions.set(id, session)
    this.#held.set(id, held)
    this.onHeld?.(held.core)
    // The session itself holds `held`, so that it lives exactly as long as the handle does.
    session.onRemoved = (removed) => {
      if (removed) this.#letGo(held)
      else this.#takeBack(held)
    }
  }

  #letGo(held: Held): void {
    const { id } = held.core
    this.#sessions.delete(id)
    this.#held.delete(id)
    this.#unheld.delete(id, held)
    this.#unheld.add(id, held)
  }

  #takeBack(held: Held): void {
    const { id, session } = held.core
    this.#unheld.delete(id, held)
    session.cache.detach(false)
    this.#keep(held)
    // The store may have been lost, or come back, while nothing followed it.
    session.suspend()
  }

  /** Lets a handle go. Calls under way, and what they are to write, go on; one that is still held asks the store at every call. */
  release(id: string): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    held.core.session.cache.detach(true)
    held.core.session.suspend()
    this.#letGo(held)
  }

  /** Those let go may still have something to write. */
  #all(): readonly Held[] {
    return [...this.#held.values(), ...this.#unheld.values()]
  }

  /** A change that the store announced. */
  change(change: Change): void {
    const core = this.#find(change.providerId)?.core
    core?.noteDelay(change)
    core?.session.change(change)
    core?.flushIfSuspected(change)
  }

  /** The store answers again: what is still to be written decides nothing. */
  downgradeToHistory(): void {
    for (const { core } of this.#all()) core.outbox.downgradeToHistory()
  }

  /** Subscribed again as well: pending providers join, all is read, and the store is told of the outage. */
  async catchUp(): Promise<void> {
    await this.#pending.registerAll()
    await this.sync.catchUp()
    await forEachLimit(this.#all(), REPORTS_AT_ONCE, ({ core }) => core.onStoreRestored())
  }

  /** A few at a time: the batches of thousands at once would wait for each other longer than a command may. */
  async flush(): Promise<void> {
    const busy = this.#all().filter(({ core }) => core.outbox.busy)
    await forEachLimit(busy, FLUSHES_AT_ONCE, ({ core }) => core.outbox.drain())
  }

  /** From now on every call is refused; those under way go on. */
  refuseCalls(): void {
    this.#context.calls.closing = true
    for (const session of this.#sessions.values()) session.cache.close()
  }

  /** Gives up what has not been written. Returns how many outcomes that were. */
  stop(): number {
    this.sync.stop()
    return this.#all().reduce((sum, { core }) => sum + core.outbox.stop(), 0)
  }
}
