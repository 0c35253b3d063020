import { type Redis, type ClusterOptions, type RedisOptions } from 'ioredis'
import { RedisUnavailableError, RedisUnsupportedError } from '../model/errors.js'
import { isCluster, openClient, type Client, type Manner, type RedisAddress } from './address.js'
import { unavailable } from './errors.js'

export interface ConnectionOptions {
  /** How long one command may take, ms. */
  readonly commandTimeoutMs: number
  /** Whether the sockets let the process end by itself. */
  readonly unref: boolean
  /** Judges `commandTimeoutMs` where a standstill of this process's own loop is not to count; default: ioredis does. */
  readonly deadlines?: AnswerDeadlines | undefined
  /** Told of every error of the connection; ioredis repeats them while Redis is away. */
  readonly onError: (error: Error) => void
}

/** Calls `fire` after `ms`, unless cleared before; see `client/deadlines.ts`. */
export interface AnswerDeadlines {
  setForAnswer(ms: number, fire: () => void): { clear(): void }
}

interface InnerStream {
  ref?: () => void
  unref?: () => void
  cork?: () => void
  uncork?: () => void
}

/**
 * ioredis keeps its socket and its timer to itself; there is no other way to unref or cork them. A Cluster has no socket.
 * `manuallyClosing`: it was told to disconnect, so the next close of its socket is the end.
 */
const innerParts = (client: Client) =>
  client as unknown as {
    readonly stream?: InnerStream
    readonly reconnectTimeout?: InnerStream | null
    manuallyClosing: boolean
  }

/** 6.2, for HRANDFIELD. */
const OLDEST_VERSION = 602
const CONNECT_TIMEOUT_MS = 500
/** A server may accept and never answer. */
const CONNECT_DEADLINE_MS = 2_000
const MAX_RETRY_DELAY_MS = 500
/** ioredis gives up a command after so many of its time limits, where we have judged before. */
const BACKSTOP = 4

const retryDelay = (times: number): number => Math.min(50 * times, MAX_RETRY_DELAY_MS)

/** How often the topology of a Cluster is looked up, ms: who only listens is told of no change. */
const TOPOLOGY_EVERY_MS = 10_000
/** What a subscriber's connection may take to answer, ms: it is given up and another is opened. */
export const SUBSCRIBER_TIMEOUT_MS = 2_000

/**
 * Commands fail within `commandTimeoutMs` and are never resent by the client: an error means that the
 * outcome is unknown, and the scripts carry what makes a repetition harmless.
 */
const requestManner = ({ commandTimeoutMs, unref, deadlines }: ConnectionOptions): Manner => ({
  redis: {
    lazyConnect: true,
    keyPrefix: '',
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    // Of what ioredis asks by itself, too.
    commandTimeout: deadlines === undefined ? commandTimeoutMs : commandTimeoutMs * BACKSTOP,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: retryDelay,
  },
  cluster: {
    ...clusterBasics(unref),
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    // A command whose connection was lost may have run. What a node refused (MOVED, CLUSTERDOWN) is sent again.
    retryDelayOnFailover: 0,
  },
  sentinel: {
    ...sentinelBasics(unref),
    // A master that became a replica: the connection goes to the new one, and the command is not sent again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
  },
})

/** Commands wait for Redis as long as it takes. */
const patientManner = ({ unref }: ConnectionOptions): Manner => ({
  redis: {
    lazyConnect: true,
    keyPrefix: '',
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: retryDelay,
    maxRetriesPerRequest: null,
  },
  cluster: clusterBasics(unref),
  sentinel: {
    ...sentinelBasics(unref),
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  },
})

/** One connection, until it ends; it resubscribes nothing by itself. */
const subscriberManner = ({ unref }: ConnectionOptions): Manner => ({
  redis: {
    lazyConnect: true,
    keyPrefix: '',
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: SUBSCRIBER_TIMEOUT_MS,
    enableOfflineQueue: true,
    autoResubscribe: false,
    readOnly: false,
    retryStrategy: () => null,
  },
  cluster: {},
  sentinel: { ...sentinelBasics(unref), sentinelRetryStrategy: () => null },
})

const clusterBasics = (unref: boolean): ClusterOptions => ({
  lazyConnect: true,
  keyPrefix: '',
  scaleReads: 'master',
  clusterRetryStrategy: retryDelay,
  // Its timer would keep a process alive.
  ...(unref ? {} : { slotsRefreshInterval: TOPOLOGY_EVERY_MS }),
})

const sentinelBasics = (unref: boolean): RedisOptions => ({
  sentinelRetryStrategy: retryDelay,
  // A master that was replaced while it was cut off says nothing; its Sentinels do. Their sockets know no unref.
  failoverDetector: !unref,
})

/** One connection for commands. */
export class RedisConnection {
  readonly #address: RedisAddress
  readonly #options: ConnectionOptions
  readonly #client: Client
  #pending = 0
  #corked = false

  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.#address = address
    this.#options = options
    this.#client = this.#prepare(openClient(address, requestManner(options)))
  }

  #prepare(client: Client): Client {
    client.on('error', this.#options.onError)
    if (this.#options.unref) {
      const parts = innerParts(client)
      client.on('reconnecting', () => parts.reconnectTimeout?.unref?.())
      const unrefOnConnect = (part: Client) =>
        part.on('connect', () => {
          if (this.#pending === 0 || client !== this.#client) innerParts(part).stream?.unref?.()
        })
      if (isCluster(client)) client.on('+node', unrefOnConnect)
      else unrefOnConnect(client)
    }
    return client
  }

  #eachSocket(action: 'ref' | 'unref'): void {
    const client = this.#client
    for (const part of isCluster(client) ? client.nodes() : [client]) innerParts(part).stream?.[action]?.()
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
      throw error instanceof RedisUnavailableError && lastError === undefined
        ? error
        : unavailable('a connection', lastError ?? error, this.#options.commandTimeoutMs)
    } finally {
      this.#client.off('error', remember)
    }
  }

  async #greet(): Promise<void> {
    // Disconnected while it had no socket, after an attempt that failed, it would take the next loss for its end.
    innerParts(this.#client).manuallyClosing = false
    await this.#client.connect()
    await this.openNodes()
    this.#checkVersion(await this.#client.info('server'))
  }

  /**
   * Opens what is not open yet of a Cluster: ioredis connects to a node when it is first asked, and rejects what others
   * ask of it meanwhile, as if it had been lost. One that does not answer is found out by who needs it.
   */
  async openNodes(): Promise<void> {
    const client = this.#client
    if (isCluster(client)) await Promise.allSettled(client.nodes('master').map((node) => node.ping()))
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
    if (this.#pending === 1) this.#eachSocket('ref')
    try {
      return await work()
    } finally {
      this.#pending -= 1
      if (this.#pending === 0) this.#eachSocket('unref')
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
    this.#cork()
    try {
      if (typeof known !== 'function') {
        return await this.#inTime(this.#client.call(command, ...args.map(String)))
      }
      const answer: unknown = Reflect.apply(known, this.#client, args)
      return await this.#inTime(answer)
    } catch (error) {
      throw unavailable(doing, error, this.#options.commandTimeoutMs)
    }
  }

  /** What comes after the time limit is dropped. */
  #inTime(answer: unknown): Promise<unknown> {
    const { deadlines, commandTimeoutMs } = this.#options
    if (deadlines === undefined) return Promise.resolve(answer)
    return new Promise((resolve, reject) => {
      const deadline = deadlines.setForAnswer(commandTimeoutMs, () => reject(new Error('Command timed out')))
      const ended = () => deadline.clear()
      Promise.resolve(answer).then(resolve, reject).finally(ended)
    })
  }

  /**
   * Commands of one turn leave in one write: a reply often wakes many callers at once, and a write for each of them
   * would cost more than all else that is done here. Nothing waits longer for it than until the turn ends.
   */
  #cork(): void {
    const { stream } = innerParts(this.#client)
    if (this.#corked || stream?.cork === undefined) return
    this.#corked = true
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork?.()
    })
  }

  /**
   * A connection for subscriptions, until it ends: whoever opened it opens another, because only they know what was
   * missed. On a Cluster it goes to any node, for each passes on the messages of all.
   * @throws Error when no node of the Cluster is known at the moment
   */
  openSubscriber(): Redis {
    const manner = subscriberManner(this.#options)
    if (!isCluster(this.#client)) {
      // Not a Cluster, so neither is another one to the same address.
      return this.#prepare(openClient(this.#address, manner)) as Redis
    }
    const nodes = this.#client.nodes()
    const node = nodes[Math.floor(Math.random() * nodes.length)]
    if (node === undefined)
      throw unavailable('a subscription', new Error('no node of the Cluster is known'), 0)
    const subscriber = node.duplicate(manner.redis)
    this.#prepare(subscriber)
    const leave = (gone: Redis) => {
      if (gone.options.host === node.options.host && gone.options.port === node.options.port)
        subscriber.disconnect()
    }
    this.#client.on('-node', leave)
    subscriber.once('end', () => this.#client.off('-node', leave))
    return subscriber
  }

  /** Calls back whenever the Cluster's nodes, or their parts in it, are others than before. */
  onTopologyChange(listener: () => void): void {
    const client = this.#client
    if (!isCluster(client)) return
    // Right after a refresh: later on, nodes that do not answer are left out and taken in again.
    const parts = () =>
      (['master', 'slave'] as const)
        .map((role) =>
          client
            .nodes(role)
            .map(({ options }) => `${options.host}:${options.port}`)
            .sort()
            .join(),
        )
        .join('/')
    let known = parts()
    client.on('refresh', () => {
      const now = parts()
      if (now === known) return
      known = now
      listener()
    })
  }

  /** A connection for commands that block: they wait for Redis as long as it takes. */
  openBlocking(): Client {
    return this.#prepare(openClient(this.#address, patientManner(this.#options)))
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
