import type { Consistency, OnRedisDown } from '../config/options.js'
import { BusbarClosedError, isBusbarError, isProviderTrouble } from '../model/errors.js'
import type { Change } from '../model/events.js'
import type { RegisterRequest } from '../model/ports.js'
import type { Settings } from '../model/settings.js'
import type { Classify } from './classify.js'
import { Follower } from './follower.js'
import { inTurns } from './in-turns.js'
import { Joining } from './joining.js'
import { Limit } from './limit.js'
import { Link, type Host } from './link.js'
import { patiently } from './patience.js'
import { Provider } from './provider.js'
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
export interface HandleDefaults {
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
  readonly link: Link
  readonly handle: Provider
}

/**
 * The providers that one process has handles of: how they are registered, also while the store is lost, and what keeps
 * them fresh. One handle and one link for each id, until the provider is removed: then they are let go, unless the user
 * holds them.
 */
export class Handles {
  readonly #host: Host
  readonly #defaults: HandleDefaults
  readonly #links = new Map<string, Link>()
  readonly #handles = new Map<string, Provider>()
  readonly #removed = new RemovedHandles<Held>()
  readonly #joining: Joining
  readonly #registrations: Limit
  readonly follower: Follower

  constructor(host: Host, defaults: HandleDefaults) {
    this.#host = host
    this.#defaults = defaults
    const targetMs = COMMAND_TIMEOUTS * host.commandTimeoutMs
    this.#registrations = new Limit({ ...REGISTRATIONS, targetMs, clock: host.clock })
    this.follower = new Follower(host, this.#links)
    this.#joining = new Joining(host, { get: (id) => this.#find(id)?.link })
  }

  get(id: string): Provider | undefined {
    return this.#handles.get(id)
  }

  /** The link of a handle that there is. */
  link(id: string): Link | undefined {
    return this.#links.get(id)
  }

  /** Also of a provider that was removed, while the user holds the handle. */
  #find(id: string): Held | undefined {
    const [link, handle] = [this.#links.get(id), this.#handles.get(id)]
    return link !== undefined && handle !== undefined ? { link, handle } : this.#removed.get(id)
  }

  /** @throws RedisUnavailableError, CommandLateError; UnknownProviderError when there is nothing to release. */
  async register(
    id: string,
    settings: Settings,
    request: Pick<RegisterRequest, 'mode' | 'byHand'>,
    options: ProviderOptions = {},
  ): Promise<Provider> {
    const { store, worker, watch, commandTimeoutMs } = this.#host
    const link = this.#find(id)?.link
    const { gaps } = this.follower
    const { epoch, registered } = await patiently(watch, commandTimeoutMs, () =>
      this.#registrations.run(async () => ({
        epoch: await store.ensureEpoch(),
        registered: await store.register(id, {
          worker,
          knownVersion: link?.cache.version ?? 0,
          settings,
          restore: link?.cache.read() ?? null,
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
      const lost = this.#host.watch.lost && isBusbarError(error, 'redis_unavailable')
      const refused = isProviderTrouble(error)
      if (!(lost || refused) || onRedisDown === 'deny') throw error
      this.#joining.add(id, { settings, mode })
      const known = this.#find(id)?.handle
      known?.configure(options)
      const handle = known ?? this.#hold(id, '', this.#joining.provisional(settings), -1, options)
      if (refused) this.#find(id)?.link.refused(error, () => this.#joining.register(id))
      return handle
    }
  }

  /** The handle of a provider that somebody registered; undefined when nobody did. */
  async lookup(id: string): Promise<Provider | undefined> {
    const { store } = this.#host
    const { gaps } = this.follower
    const epoch = await store.epoch()
    const [settings, reply] = await Promise.all([store.settings(id), store.snapshot(id)])
    if (epoch === null || settings === null || reply.status !== 'ok') return undefined
    return this.#hold(id, epoch, { ...reply, ...settings }, gaps, {})
  }

  #hold(
    id: string,
    epoch: string,
    registered: Parameters<Link['adopt']>[1],
    gaps: number,
    options: ProviderOptions,
  ): Provider {
    const known = this.#find(id)
    if (known !== undefined) {
      known.link.adopt(epoch, registered)
      this.follower.welcome(known.link, gaps)
      known.handle.configure(options)
      return known.handle
    }
    if (this.#host.calls.closing) throw new BusbarClosedError()
    const link = new Link(this.#host, id, epoch, registered)
    this.follower.welcome(link, gaps)
    const handle = new Provider(this.#host, link, {
      classify: options.classify,
      timeoutMs: options.timeoutMs,
      consistency: options.consistency ?? this.#defaults.consistency,
      onRedisDown: options.onRedisDown ?? this.#defaults.onRedisDown,
    })
    this.#keep({ link, handle })
    return handle
  }

  #keep(held: Held): void {
    const { link, handle } = held
    this.#links.set(link.id, link)
    this.#handles.set(link.id, handle)
    // The link itself holds `held`, so that it lives exactly as long as the handle does.
    link.onRemoved = (removed) => {
      if (removed) this.#letGo(held)
      else {
        this.#removed.delete(link.id, held)
        this.#keep(held)
        // The store may have been lost, or come back, while nothing followed it.
        link.suspend()
      }
    }
  }

  #letGo(held: Held): void {
    const { id } = held.link
    this.#links.delete(id)
    this.#handles.delete(id)
    this.#removed.add(id, held)
  }

  /** A change that the store announced. */
  change(change: Change): void {
    const held = this.#find(change.providerId)
    held?.link.change(change)
    held?.handle.hurry(change)
  }

  /** The store answers again: what is still to be written decides nothing. */
  demote(): void {
    for (const handle of this.#handles.values()) handle.demote()
  }

  /** Subscribed again as well: whoever waits joins, all is read, and the store is told of the outage. */
  async catchUp(): Promise<void> {
    await this.#joining.registerAll()
    await this.follower.catchUp()
    await inTurns([...this.#handles.values()], REPORTS_AT_ONCE, (handle) => handle.returned())
  }

  /** A few at a time: the batches of thousands at once would wait for each other longer than a command may. */
  async flush(): Promise<void> {
    const busy = [...this.#handles.values()].filter((handle) => handle.busy)
    await inTurns(busy, FLUSHES_AT_ONCE, (handle) => handle.flush())
  }

  /** From now on every call is refused; those under way go on. */
  refuseCalls(): void {
    this.#host.calls.closing = true
    for (const link of this.#links.values()) link.cache.close()
  }

  /** Gives up what has not been written. Returns how many outcomes that were. */
  stop(): number {
    this.follower.stop()
    return [...this.#handles.values()].reduce((sum, handle) => sum + handle.stop(), 0)
  }
}
