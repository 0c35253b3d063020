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
import { checkServer } from './server-version.js'
import { watchTopology } from './topology.js'

export interface ConnectionOptions extends MannerOptions {
  /** Called for every error of the connection; ioredis repeats them while Redis is away. */
  readonly onError: (error: Error) => void
  /** Called for every connection that died in silence and is replaced; see `Keepalive`. */
  readonly onReplaced?: OnReplaced
}

/** A server may accept and never answer. */
const CONNECT_DEADLINE_MS = 2_000

/** The connection for commands of one process. The other connections are opened through it. */
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

  /** `name`: the connection's name in the log. */
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
      // ioredis rejects with "Connection is closed."; the error event before it gives the cause.
      throw error instanceof RedisUnavailableError && lastError === undefined
        ? error
        : unavailable('a connection', lastError ?? error, this.#options.commandTimeoutMs)
    } finally {
      this.#client.off('error', remember)
    }
  }

  async #openConnection(): Promise<void> {
    // A client that was disconnected without a socket, after a failed attempt, would take the next loss for its end.
    innerParts(this.#client).manuallyClosing = false
    await this.#client.connect()
    await this.openNodes()
    checkServer(await this.#client.info('server'))
  }

  /**
   * Opens a client that has ended, and those nodes of a Cluster that are not open yet. Without it, ioredis connects to a
   * node at its first command, and rejects other commands meanwhile, as if the node had been lost. A node that does not
   * answer is left to the first command that needs it.
   */
  async openNodes(): Promise<void> {
    const client = this.#client
    if (client.status === 'end' && !this.#closed) await client.connect()
    if (isCluster(client)) await Promise.allSettled(client.nodes('master').map((node) => node.ping()))
  }

  /** With `unref`, the process may end while no command is under way. `holding` keeps it alive until `work` has ended. */
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

  /** Rejects when the time limit passes; a later reply is dropped. */
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
   * Commands of one turn leave in few writes. A reply often wakes many callers at once, and a write for each of them
   * would cost more than all other work here. No command waits longer than until the turn ends. Many commands leave in
   * several writes, so that Redis begins with the first while the rest are still being made.
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
   * A connection for subscriptions. When it ends, the subscriber opens another, because only the subscriber knows what
   * was missed. On a Cluster it goes to any node, because each node passes on the messages of all.
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

  /** Ends a subscriber that receives nothing although Redis answers, and counts it as replaced. */
  giveUp(subscriber: Redis): void {
    this.#keepalive.giveUp(subscriber)
  }

  /** Calls `listener` whenever the Cluster's nodes, or their roles, are others than before. */
  onTopologyChange(listener: () => void): void {
    if (isCluster(this.#client)) watchTopology(this.#client, listener)
  }

  /**
   * A connection for commands that block, or wait for Redis as long as it takes. BullMQ duplicates it and blocks on the
   * duplicate, so duplicates are prepared like the connection itself.
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
