import { type Cluster, Redis, type RedisOptions } from 'ioredis'
import { RedisUnavailableError, RedisUnsupportedError, SettingsError } from '../model/errors.js'

/** What a user may hand over instead of an address: a client of any copy of ioredis. */
export interface RedisLike {
  duplicate(...args: unknown[]): unknown
  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number }): unknown
}

export type RedisAddress = string | RedisOptions | RedisLike

export interface ConnectionOptions {
  /** How long one command may take, ms. */
  readonly commandTimeoutMs: number
  /** Whether the sockets let the process end by itself. */
  readonly unref: boolean
  /** Told of every error of the connection; ioredis repeats them while Redis is away. */
  readonly onError: (error: Error) => void
}

type Client = Redis | Cluster

interface Unrefable {
  ref?: () => void
  unref?: () => void
}

/** ioredis keeps its socket and its timer to itself; there is no other way to unref them. */
const innerParts = (client: Client) =>
  client as unknown as { readonly stream?: Unrefable; readonly reconnectTimeout?: Unrefable | null }

/** 6.2, for HRANDFIELD. */
const OLDEST_VERSION = 602
const CONNECT_TIMEOUT_MS = 500
/** A server may accept and never answer. */
const CONNECT_DEADLINE_MS = 2_000
const MAX_RETRY_DELAY_MS = 500

/**
 * Commands fail within `commandTimeoutMs` and are never resent by the client: an error means that the
 * outcome is unknown, and the scripts carry what makes a repetition harmless.
 */
const requestOptions = (options: ConnectionOptions): RedisOptions => ({
  lazyConnect: true,
  keyPrefix: '',
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  commandTimeout: options.commandTimeoutMs,
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: (times) => Math.min(50 * times, MAX_RETRY_DELAY_MS),
})

const isClient = (address: RedisAddress): address is RedisLike =>
  typeof address === 'object' && 'duplicate' in address && typeof address.duplicate === 'function'

const isAddress = (address: string): boolean =>
  address.startsWith('/') || (/^rediss?:\/\//.test(address) && URL.canParse(address))

function open(address: RedisAddress, options: RedisOptions): Client {
  if (isClient(address)) {
    // A duplicate, so that the user's own client keeps its options, and is not ours to close. It comes from
    // their copy of ioredis, so its type can only be taken on trust.
    const isCluster = 'nodes' in address && typeof address.nodes === 'function'
    return (
      isCluster
        ? address.duplicate([], { lazyConnect: true, redisOptions: options })
        : address.duplicate(options)
    ) as Client
  }
  if (typeof address !== 'string') return new Redis({ ...address, ...options })
  if (!isAddress(address)) {
    // Only the scheme is shown: the rest may hold a password.
    const scheme = /^[a-z+]{1,20}:/i.exec(address)?.[0] ?? 'something else'
    throw new SettingsError(
      'redis',
      `redis: expected redis://, rediss:// or the path of a socket, got ${scheme}`,
    )
  }
  return new Redis(address, options)
}

/** One connection for commands. */
export class RedisConnection {
  readonly #address: RedisAddress
  readonly #options: ConnectionOptions
  readonly #client: Client
  #pending = 0

  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.#address = address
    this.#options = options
    this.#client = this.#prepare(open(address, requestOptions(options)))
  }

  #prepare(client: Client): Client {
    client.on('error', this.#options.onError)
    if (this.#options.unref) {
      const inside = innerParts(client)
      client.on('connect', () => {
        if (this.#pending === 0 || client !== this.#client) inside.stream?.unref?.()
      })
      client.on('reconnecting', () => inside.reconnectTimeout?.unref?.())
    }
    return client
  }

  /** @throws RedisUnavailableError when Redis does not answer; RedisUnsupportedError when it is too old. */
  async connect(): Promise<void> {
    let lastError: unknown
    const remember = (error: Error) => (lastError = error)
    this.#client.on('error', remember)
    try {
      await within(
        this.holding(() => this.#greet()),
        CONNECT_DEADLINE_MS,
      )
    } catch (error) {
      this.#client.disconnect()
      if (error instanceof RedisUnsupportedError) throw error
      // ioredis says "Connection is closed."; the error event before it says why.
      throw new RedisUnavailableError('a connection', lastError ?? error)
    } finally {
      this.#client.off('error', remember)
    }
  }

  async #greet(): Promise<void> {
    await this.#client.connect()
    this.#checkVersion(await this.#client.info('server'))
  }

  #checkVersion(info: string): void {
    const [, major, minor] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? []
    if (major === undefined || minor === undefined) return
    if (Number(major) * 100 + Number(minor) < OLDEST_VERSION) {
      throw new RedisUnsupportedError(`Redis ${major}.${minor} is too old: Busbar needs 6.2 or later`)
    }
  }

  /** With `unref`, the process may end while nothing is under way, but not in the middle of `work`. */
  async holding<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#options.unref) return work()
    this.#pending += 1
    if (this.#pending === 1) innerParts(this.#client).stream?.ref?.()
    try {
      return await work()
    } finally {
      this.#pending -= 1
      if (this.#pending === 0) innerParts(this.#client).stream?.unref?.()
    }
  }

  define(name: string, numberOfKeys: number, lua: string): void {
    this.#client.defineCommand(name, { numberOfKeys, lua })
  }

  /** Runs a command or a defined script; `doing` names it in the error. */
  run(command: string, args: readonly (string | number)[], doing = command): Promise<unknown> {
    return this.#options.unref
      ? this.holding(() => this.#run(command, args, doing))
      : this.#run(command, args, doing)
  }

  async #run(command: string, args: readonly (string | number)[], doing: string): Promise<unknown> {
    const known: unknown = Reflect.get(this.#client, command)
    try {
      if (typeof known !== 'function') return await this.#client.call(command, ...args.map(String))
      return await Reflect.apply(known, this.#client, args)
    } catch (error) {
      throw new RedisUnavailableError(doing, inWords(error, this.#options.commandTimeoutMs))
    }
  }

  /** A connection for subscriptions: it waits and resubscribes for as long as it takes. */
  openSubscriber(): Client {
    return this.#openPatient()
  }

  /** A connection for commands that block: they wait for Redis as long as it takes. */
  openBlocking(): Client {
    return this.#openPatient()
  }

  #openPatient(): Client {
    const { connectTimeout, retryStrategy } = requestOptions(this.#options)
    const options = {
      lazyConnect: true,
      keyPrefix: '',
      connectTimeout,
      retryStrategy,
      maxRetriesPerRequest: null,
    }
    return this.#prepare(open(this.#address, options))
  }

  close(): void {
    this.#client.disconnect()
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Two of ioredis's errors have no code, and words of its own: people read them at night. */
function inWords(error: unknown, timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error
  if (error.message === 'Command timed out')
    return new Error(`no answer within ${timeoutMs} ms`, { cause: error })
  const away = /^(Stream isn't writeable|Connection is closed)/.test(error.message)
  return away ? new Error('not connected', { cause: error }) : error
}
