import { StoreWatch } from '../client/outage/store-watch.js'
import { show } from '../config/show.js'
import { ArgumentError, RedisUnavailableError } from '../model/errors.js'
import type { Feed, FeedListener } from '../model/ports/feed.js'
import type { Store } from '../model/ports/store.js'
import type { Change } from '../model/events.js'
import { promiseJobs } from './fake-timers.js'
import type { MemoryChannel } from '../memory/feed.js'

/** The Redis that test busbars seem to have. A test can take it away and bring it back. */
export interface TestRedis {
  /**
   * Redis does not answer any more, as when its connection breaks: calls follow `onRedisDown`, and `store_lost` is emitted,
   * both at once. `reason` stands in the events, in `RedisUnavailableError` and in the log.
   */
  down(reason?: string): void
  /** Redis answers reads and refuses writes, as when it is out of memory. The effect is that of `down`. */
  refuseWrites(reason?: string): void
  /** Redis serves again. Resolves when waiting outcomes are written and `store_restored` was emitted; no time need pass. */
  up(): Promise<void>
}

/** One worker's way to the Redis of its fleet. */
export class RedisLine implements TestRedis {
  #refusal: { readonly failure: 'unanswered' | 'refuses_writes'; readonly reason: string } | undefined
  #watch: LineWatch | undefined
  readonly #feeds: LineFeed[] = []

  /** Reports losses and returns to `watch` from now on. */
  attach(watch: LineWatch): void {
    this.#watch = watch
    if (this.#refusal !== undefined) watch.fail(this.error('ping'))
  }

  down(reason = 'the connection was closed (redis.down())'): void {
    checkReason(reason)
    if (this.#refusal?.failure === 'unanswered') return
    this.#refusal = { failure: 'unanswered', reason }
    this.#watch?.fail(this.error('ping'))
    for (const feed of this.#feeds) feed.lose()
  }

  refuseWrites(reason = 'OOM command not allowed (redis.refuseWrites())'): void {
    checkReason(reason)
    const wasDown = this.#refusal?.failure === 'unanswered'
    this.#refusal = { failure: 'refuses_writes', reason }
    this.#watch?.fail(this.error('ping'))
    if (wasDown) for (const feed of this.#feeds) feed.regain()
  }

  async up(): Promise<void> {
    const wasDown = this.#refusal?.failure === 'unanswered'
    this.#refusal = undefined
    if (wasDown) for (const feed of this.#feeds) feed.regain()
    this.#watch?.retryNow()
    await this.#watch?.restored()
  }

  get isDown(): boolean {
    return this.#refusal?.failure === 'unanswered'
  }

  /** Why a command is not carried out now. */
  error(doing: string): RedisUnavailableError | undefined {
    if (this.#refusal === undefined) return undefined
    const { failure, reason } = this.#refusal
    if (failure === 'refuses_writes' && READS.has(doing)) return undefined
    return new RedisUnavailableError(doing, new Error(reason), failure)
  }

  /** The store as it is reached over this line. */
  store(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function' || name === 'close') return member
        return (...args: unknown[]): unknown => {
          const error = this.error(String(name))
          return error === undefined ? Reflect.apply(member, target, args) : Promise.reject(error)
        }
      },
    })
  }

  feed(channel: MemoryChannel): Feed {
    const feed = new LineFeed(this, channel)
    this.#feeds.push(feed)
    return feed
  }
}

/** A registration that meets a lost store tries again after a moment. Here it would wait for a clock that stands still. */
export class LineWatch extends StoreWatch {
  override back(): Promise<void> {
    return promiseJobs()
  }

  restored(): Promise<void> {
    return super.back(Number.MAX_SAFE_INTEGER)
  }
}

const READS: ReadonlySet<string> = new Set([
  'epoch',
  'snapshot',
  'settings',
  'verify',
  'history',
  'events',
  'providers',
  'members',
])

function checkReason(reason: unknown): void {
  if (typeof reason === 'string' && reason !== '') return
  throw new ArgumentError('reason', `reason: expected text, got ${show(reason)}`)
}

/** Changes of the fleet, while the line is not down. */
class LineFeed implements Feed {
  readonly #line: RedisLine
  readonly #channel: MemoryChannel
  #listener: FeedListener | undefined
  #unsubscribe: (() => void) | undefined

  constructor(line: RedisLine, channel: MemoryChannel) {
    this.#line = line
    this.#channel = channel
  }

  subscribe(listener: FeedListener): Promise<void> {
    const error = this.#line.isDown ? this.#line.error('subscribe') : undefined
    if (error !== undefined) return Promise.reject(error)
    this.#unsubscribe?.()
    this.#listener = listener
    this.#unsubscribe = this.#channel.subscribe((change: Change) => {
      if (!this.#line.isDown) listener.change(change)
    })
    return Promise.resolve()
  }

  confirm(): Promise<void> {
    return Promise.resolve()
  }

  lose(): void {
    this.#listener?.lost()
  }

  regain(): void {
    this.#listener?.gap()
  }

  close(): Promise<void> {
    this.#unsubscribe?.()
    this.#listener = undefined
    return Promise.resolve()
  }
}
