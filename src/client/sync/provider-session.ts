import {
  BusbarClosedError,
  CommandLateError,
  isProviderTrouble,
  ProviderRemovedError,
  redisFailure,
  UnknownProviderError,
} from '../../model/errors.js'
import type { Change } from '../../model/events.js'
import type { Store } from '../../model/ports/store.js'
import type { KnownReply, Reply, SettingsReply } from '../../model/ports/store-replies.js'
import { CutOff } from '../outage/cut-off.js'
import type { ProcessContext } from '../context.js'
import { OwnRun } from './own-run.js'
import { MarkTimer } from './mark-timer.js'
import { checkProvider } from '../outage/provider-check.js'
import { registerAgain } from './register-again.js'
import { SettingsCache } from './settings-cache.js'
import { SnapshotCache } from './snapshot-cache.js'
import { logTransition } from './transition-log.js'

/** Calls are decided by these: where Redis refuses one for good, the provider is cut off. */
const DECISIVE: ReadonlySet<string> = new Set(['admit', 'record', 'snapshot'])
/** A wipe and a jump of the clock may both come between; more than that is no accident. */
const MAX_ATTEMPTS = 3

/**
 * One process's session to one provider in the store. It keeps what the store last said (snapshot, settings, the
 * store's clock), and knows what to do when the store says that it knows no such provider:
 *
 * - the store's epoch is the one we registered in: somebody removed the provider. We are told so, and stay told.
 * - it is another, or none: the store was wiped. We register again, bringing what we knew.
 *
 * It changes between `known` and `removed` only in `#setRemoved`.
 */
export class ProviderSession {
  readonly id: string
  readonly cache: SnapshotCache
  readonly own: OwnRun
  /** Whether a write of it was refused: the next outage is over when one was taken. */
  owesWrite = false
  /** Set by each use of the provider: the poll reads only those that were used. */
  used = false
  /** 0 to 1: when in each round it is polled, so that thousands are not polled at once. */
  readonly pollDraw = Math.random()
  readonly #context: ProcessContext
  #epoch: string
  readonly #settings: SettingsCache
  #removed = false
  /** Told when it turns out that somebody removed the provider (true), or registered it again (false). */
  onRemoved: ((removed: boolean) => void) | undefined
  #rejoining: Promise<void> | undefined
  #cutOff: CutOff | undefined
  readonly #markTimer: MarkTimer
  #storeClock: { readonly nowMs: number; readonly at: number }

  constructor(context: ProcessContext, id: string, epoch: string, registered: KnownReply<SettingsReply>) {
    this.id = id
    this.#context = context
    this.#epoch = epoch
    this.cache = new SnapshotCache(context.clock)
    this.own = new OwnRun(context, this.cache, () => this.settings.settings.breaker)
    this.#markTimer = new MarkTimer({ context, id, cache: this.cache, clear: () => this.clearEndedMark() })
    this.suspend()
    this.#storeClock = { nowMs: registered.nowMs, at: context.clock.now() }
    const failed = (error: unknown) => this.#judge('snapshot', error)
    this.#settings = new SettingsCache(context, { id, failed }, registered)
    this.#absorb(registered)
  }

  get settings(): SettingsReply {
    return this.#settings.held
  }

  /** Whether somebody removed it, as far as is known. */
  get removed(): boolean {
    return this.#removed
  }

  /** Whether its calls are decided without the store: that is lost, or the provider is cut off. */
  get withoutStore(): boolean {
    // What was removed is not followed any more.
    return this.cache.suspended || (this.#removed && this.#context.watch.lost)
  }

  /** Changes with each outage, of the store or of this provider alone. */
  get outages(): number {
    return this.#context.watch.outages + (this.#cutOff?.count ?? 0)
  }

  /** Why the store refuses this provider alone; undefined while it does not. */
  get cutOff(): string | undefined {
    return this.#cutOff?.active === true ? this.#cutOff.reason : undefined
  }

  /** The store refused what its calls are decided by, and serves others. `before`: see `CutOff.begin`. */
  refused(error: unknown, before?: () => Promise<void>): void {
    const context = this.#context
    this.#cutOff ??= new CutOff({
      context,
      id: this.id,
      check: (n) => checkProvider(context, this, n),
      changed: () => this.suspend(),
    })
    this.#cutOff.begin(error, before)
  }

  stop(): void {
    this.cache.stop()
    this.#markTimer.stop()
    this.#cutOff?.stop()
    this.suspend()
  }

  /** The one place that says whether its calls are decided without the store; asked whenever that may have changed. */
  suspend(): void {
    this.cache.suspend(this.#context.watch.lost || this.cutOff !== undefined)
  }

  get caller(): { worker: string; knownVersion: number } {
    return { worker: this.#context.worker, knownVersion: this.cache.version }
  }

  /** The latest moment, on the store's clock, at which a command sent now is still wanted. */
  get notAfterMs(): number {
    return this.storeTimeMs + this.#context.commandTimeoutMs
  }

  /** The store's time of now, as far as is known: what it last said, and what has passed here since. */
  get storeTimeMs(): number {
    const { nowMs, at } = this.#storeClock
    return Math.floor(nowMs + this.#context.clock.now() - at)
  }

  /** Registers again, or with other settings; a handle that was told `removed` comes back to life. */
  adopt(epoch: string, registered: KnownReply<SettingsReply>): void {
    this.#epoch = epoch
    this.#setRemoved(false)
    this.owesWrite = false
    this.#settings.accept(registered)
    this.#storeClock = { nowMs: registered.nowMs, at: this.#context.clock.now() }
    this.#absorb(registered)
  }

  /**
   * Runs an operation of the store. `operation` is called again after a wipe, and once more if it ran too
   * late, so it must read `caller` and `notAfterMs` afresh.
   * @throws ProviderRemovedError, RedisUnavailableError, CommandLateError, BusbarClosedError
   */
  async run<T>(doing: string, operation: (store: Store) => Promise<Reply<T>>): Promise<KnownReply<T>> {
    try {
      for (let attempt = 1; ; attempt += 1) {
        if (this.#context.closed) throw new BusbarClosedError()
        const reply = await operation(this.#context.store)
        this.#storeClock = { nowMs: reply.nowMs, at: this.#context.clock.now() }
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
    } catch (error) {
      this.#judge(doing, error)
      throw error
    }
  }

  /** An error that Redis answered with is judged here, for whatever it was that asked. */
  #judge(doing: string, error: unknown): void {
    if (redisFailure(error) === 'refuses_writes') this.owesWrite = true
    if (DECISIVE.has(doing) && isProviderTrouble(error)) this.refused(error)
  }

  /** A change that the store announced, made by any process. */
  change(change: Change): void {
    if (change.snapshot !== null) {
      this.#setRemoved(false)
      this.cache.offer(change.snapshot)
    } else {
      this.cache.stop()
      this.#setRemoved(true)
    }
    this.#markTimer.follow()
  }

  /** Announces the end of a mark that has ended; nothing where there is none. */
  async clearEndedMark(): Promise<void> {
    const { worker } = this.#context
    // With no version known the answer brings the snapshot: when the mark really ends.
    const request = { worker, knownVersion: 0, actor: '', reason: '', endedOnly: true }
    await this.run('resume', (store) => store.resume(this.id, { ...request, notAfterMs: this.notAfterMs }))
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
    this.#markTimer.follow()
    await this.currentSettings()
  }

  /** Whether anybody used the provider since the last question. */
  takeUsed(): boolean {
    const used = this.used
    this.used = false
    return used
  }

  /** The settings in force, read again if the last snapshot was judged by others. */
  currentSettings(): Promise<SettingsReply> {
    return this.#settings.current(this.cache.read()?.settingsRevision)
  }

  #absorb(reply: KnownReply<unknown>): void {
    if (reply.snapshot !== null) {
      this.cache.offer(reply.snapshot)
      this.#markTimer.follow()
    }
    for (const event of reply.events) logTransition(this.#context.log, event, reply.snapshot)
  }

  /** One at a time, however many calls found out. */
  #rejoinOnce(): Promise<void> {
    return (this.#rejoining ??= this.#rejoin().finally(() => (this.#rejoining = undefined)))
  }

  async #rejoin(): Promise<void> {
    const { store, log } = this.#context
    if (this.#removed || (await store.epoch()) === this.#epoch) {
      this.cache.stop()
      this.#setRemoved(true)
      throw new ProviderRemovedError(this.id)
    }
    const { epoch, registered } = await registerAgain(store, this)
    log.warn({ provider: this.id }, 'Redis was wiped: provider registered again')
    this.adopt(epoch, registered)
  }
}
