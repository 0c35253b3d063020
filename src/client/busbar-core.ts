import { BusbarClosedError, redisFailure } from '../model/errors.js'
import type { Change } from '../model/events.js'
import type { Feed } from '../model/ports/feed.js'
import type { Timer } from '../model/ports/time.js'
import type { ProcessContext } from './context.js'
import { withTimeout } from '../model/timeout.js'
import { Groups } from './group/groups.js'
import type { ProviderDefaults } from './registry/provider-options.js'
import { ProviderRegistry, type Held } from './registry/provider-registry.js'
import { Listeners } from './shared/listeners.js'

export interface BusbarCoreParts extends ProviderDefaults {
  readonly context: ProcessContext
  readonly feed: Feed
}

/** Ends before the outcomes of a process are written: it may still bring some. */
interface Closable {
  close(): Promise<void>
}

const TOUCH_WORKER_MS = 30_000
const giveUp = () => undefined

/**
 * One process as a member of its fleet: what it hears of the others, what it does when the store is lost and comes back, and
 * how it ends. The parts of Busbar work with it; users hold a `Busbar`, the public face of it.
 */
export class BusbarCore {
  readonly context: ProcessContext
  readonly registry: ProviderRegistry
  readonly listeners: Listeners
  readonly groups: Groups
  readonly #feed: Feed
  readonly #watchers = new Set<(change: Change | 'gap') => void>()
  #subscribing = false
  #touching: Timer | undefined
  #closing: Promise<void> | undefined
  readonly #ending = new AbortController()

  constructor({ context, feed, ...defaults }: BusbarCoreParts) {
    this.context = context
    this.registry = new ProviderRegistry(context, defaults)
    this.listeners = new Listeners(context.log, context.counters)
    this.groups = new Groups(context, {
      held: () => this.registry.cores(),
      get: (id) => this.registry.get(id)?.core,
      lookup: async (id) => (await this.registry.lookup(id))?.core,
    })
    this.registry.onHeld = (core) => this.groups.hold(core)
    this.#feed = feed
  }

  /** Where the store is lost from the beginning, the process begins without it, and joins later. */
  async open(): Promise<void> {
    const { watch, wallClock } = this.context
    watch.setListener({
      lost: (reason) => {
        this.registry.sync.storeLost()
        this.listeners.emit({ kind: 'store_lost', reason, outageMs: 0, at: wallClock.now() })
      },
      returning: () => this.#returning(),
      restored: (outageMs) => {
        this.registry.sync.storeRestored()
        this.listeners.emit({ kind: 'store_restored', reason: '', outageMs, at: wallClock.now() })
      },
    })
    let subscribed = false
    if (!watch.lost) {
      subscribed = await this.#subscribe().catch((error: unknown) => {
        if (redisFailure(error) === 'permanent') throw error
        return this.#notSubscribed(error)
      })
    }
    this.registry.sync.start(subscribed)
    this.#touchWorker()
    this.#touching = this.context.timers.every(TOUCH_WORKER_MS, () => this.#touchWorker()).unref()
  }

  /** Whether messages come from now on. One that cannot subscribe yet goes on trying; `gap` follows when it has. */
  async #subscribe(): Promise<boolean> {
    this.#subscribing = true
    await this.#feed.subscribe({
      change: (change) => this.#change(change),
      lost: () => {
        this.registry.sync.lost()
        // Redis itself may be gone: an idle process would not notice, and its next call would be the one to wait.
        this.context.store.epoch().catch(() => undefined)
      },
      gap: () => this.#gap(),
    })
    return true
  }

  /** Until messages come, every decision asks Redis. */
  #notSubscribed(error: unknown): false {
    this.context.counters.connectionErrors += 1
    this.context.log.warn({ err: error }, 'not subscribed yet: every decision asks Redis until it is')
    return false
  }

  /** Redis answers again. Calls are decided without it until all of this is done. */
  async #returning(): Promise<void> {
    this.registry.downgradeToHistory()
    if (this.#subscribing) await this.#feed.confirm()
    else if (await this.#subscribe().catch((error: unknown) => this.#notSubscribed(error)))
      this.registry.sync.subscribed()
    await this.registry.catchUp()
  }

  #change(change: Change): void {
    this.registry.change(change)
    this.groups.change(change)
    for (const event of change.events) this.listeners.emit(event)
    for (const watcher of this.#watchers) watcher(change)
  }

  /** Messages may have been missed: everything this process follows is read again. */
  #gap(): void {
    this.registry.sync.subscribed()
    this.groups.readAll()
    for (const watcher of this.#watchers) watcher('gap')
  }

  #touchWorker(): void {
    const { store, worker, failureDomain, counters, log } = this.context
    store.touchWorker(worker, failureDomain).catch((error: unknown) => {
      counters.connectionErrors += 1
      log.debug({ err: error }, 'heartbeat not written')
    })
  }

  /** See `busbar.watch()`. */
  watch(watcher: (change: Change | 'gap') => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  get(id: string): Held | undefined {
    return this.registry.get(id)
  }

  /** @throws BusbarClosedError, RedisUnavailableError */
  async lookup(id: string): Promise<Held | undefined> {
    this.assertOpen()
    return this.registry.lookup(id)
  }

  /** Ids of all registered providers, the oldest first. @throws BusbarClosedError, RedisUnavailableError */
  async providers(): Promise<string[]> {
    this.assertOpen()
    return (await this.context.store.providers()).map((provider) => provider.id)
  }

  /** @throws BusbarClosedError */
  assertOpen(): void {
    if (this.#closing !== undefined) throw new BusbarClosedError()
  }

  get closing(): AbortSignal {
    return this.#ending.signal
  }

  /** See `busbar.close()`. */
  close(timeoutMs: number, workers: Iterable<Closable>): Promise<void> {
    this.#ending.abort()
    this.#closing ??= this.#close(timeoutMs, workers)
    return this.#closing
  }

  async #close(timeoutMs: number, ending: Iterable<Closable>): Promise<void> {
    this.#touching?.clear()
    this.groups.stop()
    const { calls, clock, commandTimeoutMs, log, timers, store, watch } = this.context
    const until = clock.now() + timeoutMs
    this.registry.refuseCalls()
    const workers = [...ending].map((worker) => worker.close())
    await withTimeout(Promise.all([calls.ended(), ...workers]), timeoutMs, giveUp, timers)
    if (calls.count > 0) log.warn({ calls: calls.count }, 'closed while these calls were under way')
    const written = Promise.all([calls.giveBack(), this.registry.flush()])
    await withTimeout(written, Math.max(until - clock.now(), commandTimeoutMs), giveUp, timers)
    this.context.closed = true
    watch.stop()
    const lost = this.registry.stop()
    if (lost > 0) log.warn({ outcomes: lost }, 'closed before these outcomes could be written')
    await this.#feed.close()
    await store.close()
  }
}
