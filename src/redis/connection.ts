import type { Redis } from 'ioredis'
import { RedisUnavailableError, RedisUnsupportedError } from '../model/errors.js'
import { databaseOf, isCluster, openClient, type Client, type RedisAddress } from './address.js'
import { patientManner, requestManner, subscriberManner, type MannerOptions } from './client-options.js'
import { withDeadline } from './deadline.js'
import { unavailable } from './errors.js'
import { innerParts } from './internals.js'
import { Keepalive, type OnReplaced } from './keepalive.js'
import { adaptSentinels } from './sentinels.js'
import { askForServerName } from './server-names.js'

export interface ConnectionOptions extends MannerOptions {
  /** Told of every error of the connection; ioredis repeats them while Redis is away. */
  readonly onError: (error: Error) => void
  /** Told of every connection that had died in silence and is replaced; see `Keepalive`. */
  readonly onReplaced?: OnReplaced
}

/** 6.2, for HRANDFIELD. */
const OLDEST_VERSION = 602
/** A server may accept and never answer. */
const CONNECT_DEADLINE_MS = 2_000

/** One connection for commands, and what opens the others of this process. */
export class RedisConnection {
  readonly #address: RedisAddress
  readonly #options: ConnectionOptions
  readonly #client: Client
  readonly #keepalive: Keepalive
  /** The number of the database that the keys are in. */
  readonly database: number
  #pending = 0
  /** Commands of this turn that have not left yet. */
  #corked = 0
  #closed = false

  /** @throws SettingsError for an address that makes no sense */
  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.#address = address
    this.#options = options
    this.#keepalive = new Keepalive(options.onReplaced ?? (() => undefined))
    this.#client = this.#prepare(openClient(address, requestManner(options)), 'commands')
    this.database = databaseOf(this.#client)
  }

  /** `name`: which connection it is, for people who read the log. */
  #prepare(client: Client, name: string): Client {
    client.on('error', this.#options.onError)
    if (isCluster(client)) {
      client.on('+node', (node: Redis) => {
        this.#prepareOne(node, client, `${name}, node ${node.options.host}:${node.options.port}`)
      })
    } else this.#prepareOne(client, client, name)
    if (this.#options.unref) {
      const parts = innerParts(client)
      client.on('reconnecting', () => parts.reconnectTimeout?.unref?.())
    }
    return client
  }

  #prepareOne(part: Redis, client: Client, name: string): void {
    askForServerName(part)
    this.#keepalive.watch(part, name)
    adaptSentinels(part, (sentinel) => {
      const { host, port } = sentinel.options
      this.#keepalive.watch(sentinel, `${name}, Sentinel ${host}:${port}`)
    })
    if (!this.#options.unref) return
    part.on('connect', () => {
      if (this.#pending === 0 || client !== this.#client) innerParts(part).stream?.unref?.()
    })
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
      await withDeadline(
        this.holding(() => this.#openConnection()),
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

  async #openConnection(): Promise<void> {
    // Disconnected while it had no socket, after an attempt that failed, it would take the next loss for its end.
    innerParts(this.#client).manuallyClosing = false
    await this.#client.connect()
    await this.openNodes()
    this.#checkVersion(await this.#client.info('server'))
  }

  /**
   * Opens a client that has ended, and what is not open yet of a Cluster: ioredis connects to a node when it is first asked, and rejects what others
   * ask of it meanwhile, as if it had been lost. One that does not answer is found out by who needs it.
   */
  async openNodes(): Promise<void> {
    const client = this.#client
    if (client.status === 'end' && !this.#closed) await client.connect()
    if (isCluster(client)) await Promise.allSettled(client.nodes('master').map((node) => node.ping()))
  }

  #checkVersion(info: string): void {
    const [, major, minor] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? []
    if (major === undefined || minor === undefined) return
    if (Number(major) * 100 + Number(minor) < OLDEST_VERSION) {
      throw new RedisUnsupportedError(`Redis ${major}.${minor} is too old: Busbar needs 6.2 or later`)
    }
    // The scripts write times as text by %d, which is 32 bits wide there.
    if (/^arch_bits:32\b/m.test(info)) {
      throw new RedisUnsupportedError('this Redis is a 32-bit build: Busbar needs a 64-bit one')
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
   * Commands of one turn leave in few writes: a reply often wakes many callers at once, and a write for each of them
   * would cost more than all else that is done here. Nothing waits longer for it than until the turn ends; of many, Redis
   * has the first while the rest are still being made.
   */
  #cork(): void {
    const { stream } = innerParts(this.#client)
    if (stream?.cork === undefined) return
    this.#corked += 1
    if (this.#corked === 1) {
      stream.cork()
      process.nextTick(() => {
        this.#corked = 0
        stream.uncork?.()
      })
    } else if (this.#corked % COMMANDS_PER_WRITE === 0) {
      stream.uncork?.()
      stream.cork()
    }
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
      return this.#prepare(openClient(this.#address, manner), SUBSCRIPTION) as Redis
    }
    const nodes = this.#client.nodes()
    const node = nodes[Math.floor(Math.random() * nodes.length)]
    if (node === undefined)
      throw unavailable('a subscription', new Error('no node of the Cluster is known'), 0)
    const subscriber = node.duplicate(manner.redis)
    this.#prepare(subscriber, SUBSCRIPTION)
    const leave = (gone: Redis) => {
      if (gone.options.host === node.options.host && gone.options.port === node.options.port)
        subscriber.disconnect()
    }
    this.#client.on('-node', leave)
    subscriber.once('end', () => this.#client.off('-node', leave))
    return subscriber
  }

  /** A subscriber on which nothing comes, although Redis answers: it ends, and is counted as replaced. */
  giveUp(subscriber: Redis): void {
    this.#keepalive.giveUp(subscriber)
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

  /**
   * A connection for commands that block, or wait for Redis as long as it takes. So are its duplicates, which are looked
   * after like itself: BullMQ makes one to block on.
   */
  readonly openBlocking = (name: string): Client => {
    const client = this.#prepare(openClient(this.#address, patientManner(this.#options)), name)
    const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => Client
    const duplicatePrepared = (...args: unknown[]) => this.#prepare(duplicate(...args), `${name}, blocking`)
    return Object.assign(client, { duplicate: duplicatePrepared })
  }

  close(): void {
    this.#closed = true
    this.#client.disconnect()
  }
}

const COMMANDS_PER_WRITE = 32
const SUBSCRIPTION = 'subscription'
