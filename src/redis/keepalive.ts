import type { Redis } from 'ioredis'
import { withDeadline } from './deadline.js'
import { innerParts, type InnerStream } from './internals.js'
import { askForServerName } from './server-names.js'

/**
 * Replaces connections whose flow was dropped in silence.
 *
 * A flow that a NAT, a firewall or a load balancer has forgotten stays "connected": no FIN, no RST, and no reply ever
 * again. Nothing in ioredis ends it, and a subscription does not even notice. So each open socket is looked at once a
 * second:
 *
 * - bytes came since the last look: the connection lives, and nothing is done;
 * - `quiet`    nothing came for `PING_AFTER_MS` and no reply is due: a PING is sent;
 * - `awaited`  a reply is due (of a PING, a command, a blocking command past its own time limit). After
 *              `UNANSWERED_MS` a second connection to the same server is opened, as the test of whether Redis answers.
 *              If it does, this socket is dead: it is destroyed, and its owner opens another. If it does not, Redis
 *              itself is away or frozen: the socket stays, because it works again as soon as Redis does, and the test is
 *              repeated after a growing pause. So a frozen Redis is not flooded with connections.
 *
 * When the timer itself was late, this process stood still and replies may wait to be read: all times begin again.
 *
 * Idle cost: one timer a second in the process, one PING per connection each `PING_AFTER_MS`.
 */
export class Keepalive {
  readonly #onReplaced: OnReplaced
  readonly #watched = new Set<Watched>()
  readonly #tests = new Map<string, Promise<boolean>>()
  #timer: NodeJS.Timeout | undefined
  #lookedAt = 0

  constructor(onReplaced: OnReplaced) {
    this.#onReplaced = onReplaced
  }

  /** Looks after each socket that `client` opens from now on; `name` says which connection it is. */
  watch(client: Redis, name: string): void {
    let current: Watched | undefined
    let givenUp: Promise<number | undefined> | undefined
    client.on('connect', () => {
      const { stream } = innerParts(client)
      if (stream === undefined) return
      current = newWatched(client, name, stream)
      this.#add(current)
      void givenUp?.then((silentMs) => {
        if (silentMs !== undefined) this.#onReplaced(name, silentMs)
      })
      givenUp = undefined
    })
    client.on('close', () => {
      if (current === undefined) return
      this.#remove(current)
      givenUp = this.#givenUp(current)
      current = undefined
    })
  }

  #add(watched: Watched): void {
    this.#watched.add(watched)
    if (this.#timer !== undefined) return
    this.#lookedAt = performance.now()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  #remove(watched: Watched): void {
    this.#watched.delete(watched)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const now = performance.now()
    const late = now - this.#lookedAt > 2 * LOOK_EVERY_MS
    this.#lookedAt = now
    for (const watched of this.#watched) this.#lookAt(watched, now, late)
  }

  #lookAt(watched: Watched, now: number, late: boolean): void {
    const { client, stream } = watched
    const command = innerParts(client).commandQueue.peekFront()?.command
    if (command !== undefined && blockMs(command) > 0) watched.blocks = true
    if (late || stream.bytesRead !== watched.bytesRead) {
      watched.bytesRead = stream.bytesRead
      watched.quietSince = now
      watched.awaited = command && { since: now, blockMs: blockMs(command) }
      watched.patienceMs = UNANSWERED_MS
      return
    }
    if (command !== undefined) {
      watched.awaited ??= { since: now, blockMs: blockMs(command) }
      if (now - watched.awaited.since >= watched.awaited.blockMs + watched.patienceMs)
        void this.#test(watched)
      return
    }
    watched.awaited = undefined
    if (client.status !== 'ready' || now - watched.quietSince < PING_AFTER_MS) return
    watched.awaited = { since: now, blockMs: 0 }
    // Only bytes count. Its failure is that of the connection, which the client reports.
    client.ping().catch(() => undefined)
  }

  async #test(watched: Watched): Promise<void> {
    if (watched.testing) return
    watched.testing = true
    const answers = await this.#answers(watched.client)
    watched.testing = false
    const { stream, bytesRead } = watched
    // Reading went on meanwhile: a reply that had waited in this socket has come.
    if (stream.bytesRead !== bytesRead || !this.#watched.has(watched)) return
    if (!answers) {
      watched.patienceMs = Math.min(watched.patienceMs + UNANSWERED_MS, MAX_PATIENCE_MS)
      if (watched.awaited !== undefined) watched.awaited.since = performance.now()
      return
    }
    this.#replace(watched)
  }

  /** Its owner found out by itself that nothing comes on it, and that Redis answers others. */
  giveUp(client: Redis): void {
    for (const watched of this.#watched) if (watched.client === client) this.#replace(watched)
  }

  #replace(watched: Watched): void {
    this.#remove(watched)
    watched.blocks = false
    this.#onReplaced(watched.name, Math.round(performance.now() - watched.quietSince))
    watched.stream.destroy()
  }

  /**
   * BullMQ gives up a blocking connection by itself, without a word, when its command is late, and connects the same
   * client again. Resolves to how long nothing had come, if that was so and Redis answers on another connection.
   */
  async #givenUp({
    client,
    stream,
    blocks,
    closedByServer,
    quietSince,
  }: Watched): Promise<number | undefined> {
    if (!blocks || closedByServer || stream.errored !== null) return undefined
    const silentMs = Math.round(performance.now() - quietSince)
    return (await this.#answers(client)) ? silentMs : undefined
  }

  /** Whether the server of `client` answers on a new connection. One test at a time for each server. */
  #answers(client: Redis): Promise<boolean> {
    const { host, port, path } = client.options
    const server = path ?? `${host}:${port}`
    const known = this.#tests.get(server)
    if (known !== undefined) return known
    const test = answersAnother(client).finally(() => this.#tests.delete(server))
    this.#tests.set(server, test)
    return test
  }
}

/** `name`: which connection. `silentMs`: how long nothing had come on it. */
export type OnReplaced = (name: string, silentMs: number) => void

/** One socket, as long as it is open. */
interface Watched {
  readonly client: Redis
  readonly name: string
  readonly stream: InnerStream
  /** When it was looked at last. */
  bytesRead: number
  /** Since when nothing has come; `performance.now()`. */
  quietSince: number
  /** Since when a reply has been due without anything coming, and what its command may take to block. */
  awaited: { since: number; readonly blockMs: number } | undefined
  /** How long a reply may be due before Redis is tested. */
  patienceMs: number
  testing: boolean
  /** Whether a blocking command was seen on it. */
  blocks: boolean
  /** Whether the server closed its side before this process did. */
  closedByServer: boolean
}

function newWatched(client: Redis, name: string, stream: InnerStream): Watched {
  const watched: Watched = {
    client,
    name,
    stream,
    bytesRead: stream.bytesRead,
    quietSince: performance.now(),
    awaited: undefined,
    patienceMs: UNANSWERED_MS,
    testing: false,
    blocks: false,
    closedByServer: false,
  }
  stream.once('end', () => {
    watched.closedByServer = !stream.writableEnded
  })
  return watched
}

const LOOK_EVERY_MS = 1_000
/** Less than what any NAT keeps a quiet flow for. */
const PING_AFTER_MS = 5_000
const UNANSWERED_MS = 2_000
const MAX_PATIENCE_MS = 4_000
/** What a new connection to Redis may take to answer, all in all. */
const TEST_WITHIN_MS = 2_000

/** BullMQ blocks in this command only; its last argument is a time limit in s. */
const blockMs = ({ name, args }: { name: string; args: readonly unknown[] }): number =>
  name.toLowerCase() === 'bzpopmin' ? (Number(String(args.at(-1))) || 0) * 1_000 : 0

/** Opens a second connection like that of `client`, and says whether it answers. */
async function answersAnother(client: Redis): Promise<boolean> {
  // The prototype's: on a client of the queue `duplicate` gives connections that are watched, see RedisConnection.
  const { duplicate } = Object.getPrototypeOf(client) as Pick<Redis, 'duplicate'>
  const second = duplicate.call(client, {
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    failoverDetector: false,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    commandTimeout: TEST_WITHIN_MS,
  })
  askForServerName(second)
  second.on('error', () => undefined)
  // A process that may end does not wait for this.
  second.on('connect', () => innerParts(second).stream?.unref?.())
  try {
    await withDeadline(
      second.connect().then(() => second.ping()),
      TEST_WITHIN_MS,
    )
    return true
  } catch {
    return false
  } finally {
    second.disconnect()
  }
}
