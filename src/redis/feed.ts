import type { Feed, FeedListener } from '../model/ports/feed.js'
import type { RedisConnection } from './connection.js'
import { withDeadline } from './deadline.js'
import { unavailable } from './errors.js'
import { changesChannel } from './keys.js'
import { parseChange } from './parse.js'

/**
 * Changes, as the scripts publish them, over a connection of its own.
 *
 * A message that is published while no connection listens is lost, so the listener is told when that begins (`lost`) and
 * when it has ended (`gap`: read everything again). For that this file subscribes by itself: one connection after
 * another, each until it ends, for whatever reason: the server went, or took the right to the channel away. On a
 * Cluster a message comes from any node; while its nodes change some are lost, so that is a gap too.
 */
export class RedisFeed implements Feed {
  readonly #connection: RedisConnection
  readonly #channel: string
  readonly #onError: (error: Error) => void
  #client: ReturnType<RedisConnection['openSubscriber']> | undefined
  #subscribed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(connection: RedisConnection, namespace: string, onError: (error: Error) => void) {
    this.#connection = connection
    this.#channel = changesChannel(namespace, connection.database)
    this.#onError = onError
  }

  /** Rejects when the first attempt fails, and goes on trying all the same, until `close`: then `gap` is called. */
  async subscribe(listener: FeedListener): Promise<void> {
    this.#connection.onTopologyChange(() => {
      if (this.#subscribed) listener.gap()
    })
    try {
      await this.#open(listener)
    } catch (error) {
      this.#again(listener)
      throw error
    }
  }

  /** One attempt. It gives up its own connection when it fails, and nothing else. */
  async #open(listener: FeedListener): Promise<void> {
    const client = this.#connection.openSubscriber()
    this.#client = client
    let subscribed = false
    client.on('message', (_channel: string, message: string) => this.#deliver(listener, message))
    client.once('end', () => {
      if (!subscribed || this.#closed) return
      this.#subscribed = false
      listener.lost()
      this.#again(listener)
    })
    try {
      await withDeadline(
        client.connect().then(() => client.subscribe(this.#channel)),
        ATTEMPT_MS,
      )
    } catch (error) {
      // One that has ended by itself needs no end; ioredis would leave a timer behind.
      if (!ENDED.has(client.status)) client.disconnect()
      throw unavailable(`a subscription to ${this.#channel}`, error, ATTEMPT_MS)
    }
    subscribed = true
    this.#subscribed = true
    this.#failures = 0
  }

  /**
   * What cut off the commands may have cut off the subscription too, and a dead one looks like a quiet one: it is asked,
   * and where it does not answer it is opened again, which begins with `lost`.
   */
  async confirm(): Promise<void> {
    const client = this.#client
    if (client === undefined || !this.#subscribed) return
    try {
      await withDeadline(client.ping(), CONFIRM_MS)
    } catch (error) {
      this.#onError(toError(error))
      this.#connection.giveUp(client)
    }
  }

  #again(listener: FeedListener): void {
    if (this.#closed) return
    this.#failures += 1
    const reopen = async () => {
      try {
        await this.#open(listener)
        listener.gap()
      } catch (error) {
        if (this.#closed) return
        this.#onError(toError(error))
        this.#again(listener)
      }
    }
    const delayMs = Math.min(STEP_MS * (this.#failures - 1), MAX_DELAY_MS) * (0.5 + Math.random() / 2)
    this.#timer = setTimeout(() => void reopen(), delayMs).unref()
  }

  #deliver(listener: FeedListener, message: string): void {
    try {
      listener.change(parseChange(message))
    } catch (error) {
      this.#onError(toError(error))
    }
  }

  close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#client?.disconnect()
    return Promise.resolve()
  }
}

const ENDED: ReadonlySet<string> = new Set(['close', 'end'])
/** What one attempt may take, from the connection to the subscription, ms. */
const ATTEMPT_MS = 2_000
/** What the answer of a subscription may take, ms. */
const CONFIRM_MS = 1_000
const STEP_MS = 50
const MAX_DELAY_MS = 500

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
