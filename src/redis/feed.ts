import type { Feed, FeedListener } from '../model/ports.js'
import type { RedisConnection } from './connection.js'
import { fleetKeys } from './keys.js'
import { parseChange } from './parse.js'

/** Changes, as the scripts publish them, over a connection of its own. */
export class RedisFeed implements Feed {
  readonly #connection: RedisConnection
  readonly #channel: string
  readonly #onError: (error: Error) => void
  #client: ReturnType<RedisConnection['openSubscriber']> | undefined

  constructor(connection: RedisConnection, namespace: string, onError: (error: Error) => void) {
    this.#connection = connection
    this.#channel = fleetKeys(namespace).changes
    this.#onError = onError
  }

  async subscribe(listener: FeedListener): Promise<void> {
    const client = this.#connection.openSubscriber()
    this.#client = client
    client.on('message', (_channel: string, message: string) => this.#deliver(listener, message))
    let subscribed = false
    // ioredis subscribes again by itself; 'ready' comes before that, so the gap is told a command later.
    client.on('ready', () => {
      if (!subscribed) return
      client.subscribe(this.#channel).then(() => listener.gap(), this.#onError)
    })
    client.on('close', () => {
      if (subscribed) listener.lost()
    })
    await client.connect()
    await client.subscribe(this.#channel)
    subscribed = true
  }

  #deliver(listener: FeedListener, message: string): void {
    try {
      listener.change(parseChange(message))
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  close(): Promise<void> {
    this.#client?.disconnect()
    return Promise.resolve()
  }
}
