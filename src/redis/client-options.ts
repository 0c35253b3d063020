import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { ClientUse } from './address.js'

/** What the options of every connection depend on. */
export interface MannerOptions {
  /** How long one command may take, ms. */
  readonly commandTimeoutMs: number
  /** Whether the sockets let the process end by itself. */
  readonly unref: boolean
  /** Judges `commandTimeoutMs` where a standstill of this process's own loop is not to count; default: ioredis does. */
  readonly deadlines?: AnswerDeadlines | undefined
}

/** Calls `fire` after `ms`, unless cleared before; see `client/deadlines.ts`. */
export interface AnswerDeadlines {
  setForAnswer(ms: number, fire: () => void): { clear(): void }
}

const CONNECT_TIMEOUT_MS = 500
/** A socket that is given up is destroyed if the server has not closed its side by then, ms. */
const DISCONNECT_TIMEOUT_MS = 500
const MAX_RETRY_DELAY_MS = 500
/** ioredis gives up a command after so many of its time limits, where this process has judged before. */
const BACKSTOP = 4
/** After so long without traffic the kernel asks the other side whether it lives, ms; Linux's own default is two hours. */
const TCP_KEEPALIVE_MS = 10_000
/** How long a Sentinel may take to answer, ms. */
const SENTINEL_TIMEOUT_MS = 500
/** The longest pause before a connection that listens to a Sentinel is opened again, ms; ioredis waits a minute. */
const MAX_SENTINEL_DELAY_MS = 5_000
/** How often the topology of a Cluster is looked up, ms: a process that only listens hears of no change. */
const TOPOLOGY_EVERY_MS = 10_000
/** How long each command of a subscriber's connection may take, ms: then it is given up and another is opened. */
const SUBSCRIBER_TIMEOUT_MS = 2_000

const retryDelay = (times: number): number => Math.min(50 * times, MAX_RETRY_DELAY_MS)

/**
 * How a connection behaves is decided here, not by the user's options: those say where Redis is and how to log in. Each
 * of these would otherwise change what an answer, or its absence, means.
 */
const BASICS: RedisOptions = {
  lazyConnect: true,
  keyPrefix: '',
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  keepAlive: TCP_KEEPALIVE_MS,
  retryStrategy: retryDelay,
  reconnectOnError: null,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  autoResendUnfulfilledCommands: true,
  readOnly: false,
  monitor: false,
  stringNumbers: false,
}

/**
 * Commands fail within `commandTimeoutMs` and are never resent by the client: an error means that the
 * outcome is unknown, and the scripts carry what makes a repetition harmless.
 */
export const requestManner = ({ commandTimeoutMs, unref, deadlines }: MannerOptions): ClientUse => ({
  redis: {
    ...BASICS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Of what ioredis asks by itself, too.
    commandTimeout: deadlines === undefined ? commandTimeoutMs : commandTimeoutMs * BACKSTOP,
  },
  cluster: {
    ...clusterBasics(unref),
    enableOfflineQueue: false,
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
export const patientManner = ({ unref }: MannerOptions): ClientUse => ({
  redis: { ...BASICS, ...WITHOUT_TIME_LIMIT, enableOfflineQueue: true, maxRetriesPerRequest: null },
  cluster: { ...clusterBasics(unref), enableOfflineQueue: true },
  sentinel: {
    ...sentinelBasics(unref),
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  },
})

/** One connection, until it ends; it resubscribes nothing by itself. */
export const subscriberManner = ({ unref }: MannerOptions): ClientUse => ({
  redis: {
    ...BASICS,
    commandTimeout: SUBSCRIBER_TIMEOUT_MS,
    enableOfflineQueue: true,
    autoResubscribe: false,
    retryStrategy: () => null,
  },
  cluster: {},
  sentinel: { ...sentinelBasics(unref), sentinelRetryStrategy: () => null },
})

/** ioredis reads these as "none"; the types of the options want them absent, where a user's would shine through. */
const WITHOUT_TIME_LIMIT = {
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
} as unknown as RedisOptions

const clusterBasics = (unref: boolean): ClusterOptions => ({
  lazyConnect: true,
  keyPrefix: '',
  scaleReads: 'master',
  shardedSubscribers: false,
  enableAutoPipelining: false,
  clusterRetryStrategy: retryDelay,
  // Its timer would keep a process alive.
  ...(unref ? {} : { slotsRefreshInterval: TOPOLOGY_EVERY_MS }),
})

const sentinelBasics = (unref: boolean): RedisOptions => ({
  role: 'master',
  sentinelRetryStrategy: retryDelay,
  sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
  sentinelReconnectStrategy: (times) => Math.min(1_000 * times, MAX_SENTINEL_DELAY_MS),
  // A master that was replaced while it was cut off says nothing; its Sentinels do. Their sockets know no unref.
  failoverDetector: !unref,
})
