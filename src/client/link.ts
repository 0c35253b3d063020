import {
  BusbarClosedError,
  CommandLateError,
  ProviderRemovedError,
  UnknownProviderError,
} from '../model/errors.js'
import type { Change } from '../model/events.js'
import type { KnownReply, Reply, Schedule, SettingsReply, Store } from '../model/ports.js'
import type { CallsUnderWay } from './calls-under-way.js'
import type { Deadlines } from './deadlines.js'
import type { ProcessTime } from './time.js'
import type { Counters, Logger } from './log.js'
import { SnapshotCache } from './snapshot-cache.js'
import type { StoreWatch } from './store-watch.js'
import { logTransition } from './transition-log.js'

/** What all handles of one process share. */
export interface Host extends ProcessTime {
  /** Asked through `watch`. */
  readonly store: Store
  readonly watch: StoreWatch
  /** Name of this process; the same after a restart, if the user says so. */
  readonly worker: string
  /** Random name of this life of the process. */
  readonly incarnation: string
  readonly log: Logger
  readonly counters: Counters
  readonly commandTimeoutMs: number
  /** How long good news may wait, ms. */
  readonly flushIntervalMs: number
  /** What one provider may cost its store, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
  /** Whether the process may end while connected. */
  readonly unref: boolean
  /** Of calls. */
  readonly deadlines: Pick<Deadlines, 'set'>
  /** Of commands to the store, where those of calls do not fit them. */
  readonly commandDeadlines?: Pick<Deadlines, 'set'>
  readonly calls: CallsUnderWay
  /** Asked through `watch`. Undefined where nothing can be probed. */
  readonly schedule: Schedule | undefined
  closed: boolean
}

/** A wipe and a jump of the clock may both come between; more than that is no accident. */
const MAX_ATTEMPTS = 3

/**
 * One process's link to one provider in the store. It keeps what the store last said (snapshot, settings, the
 * store's clock), and knows what to do when the store says that it knows no such provider:
 *
 * - the store's epoch is the one we registered in: somebody removed the provider. We are told so, and stay told.
 * - it is another, or none: the store was wiped. We register again, bringing what we knew.
 *
 * It changes between `known` and `removed` only in `#setRemoved`.
 */
export class Link {
  readonly id: string
  readonly cache: SnapshotCache
  /** Set by whoever uses the provider; the poll asks. */
  used = true
  /** 0 to 1: when in each round it is polled, so that thousands are not polled at once. */
  readonly pollDraw = Math.random()
  readonly #host: Host
  #epoch: string
  #settings: SettingsReply
  #removed = false
  /** Told when it turns out that somebody removed the provider (true), or registered it again (false). */
  onRemoved: ((removed: boolean) => void) | undefined
  #rejoining: Promise<void> | undefined
  #storeClock: { readonly nowMs: number; readonly at: number }

  constructor(host: Host, id: string, epoch: string, registered: KnownReply<SettingsReply>) {
    this.id = id
    this.#host = host
    this.#epoch = epoch
    this.cache = new SnapshotCache(host.clock)
    this.#storeClock = { nowMs: registered.nowMs, at: host.clock.now() }
    this.#settings = registered
    this.#absorb(registered)
  }

  get settings(): SettingsReply {
    return this.#settings
  }

  /** Whether somebody removed it, as far as is known. */
  get removed(): boolean {
    return this.#removed
  }

  get caller(): { worker: string; knownVersion: number } {
    return { worker: this.#host.worker, knownVersion: this.cache.version }
  }

  /** The latest moment, on the store's clock, at which a command sent now is still wanted. */
  get notAfterMs(): number {
    const { nowMs, at } = this.#storeClock
    return Math.floor(nowMs + this.#host.clock.now() - at) + this.#host.commandTimeoutMs
  }

  /** Registers again, or with other settings; a handle that was told `removed` comes back to life. */
  adopt(epoch: string, registered: KnownReply<SettingsReply>): void {
    this.#epoch = epoch
    this.#setRemoved(false)
    this.#settings = registered
    this.#storeClock = { nowMs: registered.nowMs, at: this.#host.clock.now() }
    this.#absorb(registered)
  }

  /**
   * Runs an operation of the store. `operation` is called again after a wipe, and once more if it ran too
   * late, so it must read `caller` and `notAfterMs` afresh.
   * @throws ProviderRemovedError, RedisUnavailableError, CommandLateError, BusbarClosedError
   */
  async run<T>(doing: string, operation: (store: Store) => Promise<Reply<T>>): Promise<KnownReply<T>> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#host.closed) throw new BusbarClosedError()
      const reply = await operation(this.#host.store)
      this.#storeClock = { nowMs: reply.nowMs, at: this.#host.clock.now() }
      if (reply.status === 'ok') {
        this.#setRemoved(false)
        this.#absorb(reply)
        return reply
      }
      if (attempt === MAX_ATTEMPTS) {
        throw reply.status === 'late'
          ? new CommandLateError(doing, this.id)
          : new UnknownProviderError(this.id)
      }
      if (reply.status === 'unknown_provider') await this.#rejoinOnce()
    }
  }

  /** A change that the store announced, whoever made it. */
  change(change: Change): void {
    if (change.snapshot !== null) {
      this.#setRemoved(false)
      this.cache.offer(change.snapshot)
    } else {
      this.cache.stop()
      this.#setRemoved(true)
    }
  }

  #setRemoved(removed: boolean): void {
    if (this.#removed === removed) return
    this.#removed = removed
    this.onRemoved?.(removed)
  }

  /** Reads everything again, to end the gap that `cache.lost()` named. */
  async resync(gap: number): Promise<void> {
    const reply = await this.run('snapshot', (store) => store.snapshot(this.id))
    if (reply.snapshot !== null) this.cache.resync(reply.snapshot, gap)
    await this.currentSettings()
  }

  /** Whether anybody used the provider since the last question. */
  takeUsed(): boolean {
    const used = this.used
    this.used = false
    return used
  }

  /** The settings in force, read again if the last snapshot was judged by others. */
  async currentSettings(): Promise<SettingsReply> {
    if (this.cache.read()?.settingsRevision !== this.#settings.revision) {
      const stored = await this.#host.store.settings(this.id)
      if (stored !== null) this.#settings = stored
    }
    return this.#settings
  }

  #absorb(reply: KnownReply<unknown>): void {
    if (reply.snapshot !== null) this.cache.offer(reply.snapshot)
    for (const event of reply.events) logTransition(this.#host.log, event, reply.snapshot)
  }

  /** One at a time, however many calls found out. */
  #rejoinOnce(): Promise<void> {
    this.#rejoining ??= this.#rejoin().finally(() => {
      this.#rejoining = undefined
    })
    return this.#rejoining
  }

  async #rejoin(): Promise<void> {
    const { store, log } = this.#host
    if (this.#removed || (await store.epoch()) === this.#epoch) {
      this.cache.stop()
      this.#setRemoved(true)
      throw new ProviderRemovedError(this.id)
    }
    const epoch = await store.ensureEpoch()
    const restore = this.cache.read() ?? null
    const { settings, pinned, setBy } = this.#settings
    const byHand = pinned ? { operator: setBy, reason: '', notAfterMs: null } : undefined
    const request = { ...this.caller, settings, mode: 'keep' as const, restore, byHand }
    const registered = await store.register(this.id, request)
    log.warn({ provider: this.id }, 'Redis was wiped: provider registered again')
    this.adopt(epoch, registered)
  }
}
