import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Busbar } from './client/busbar.js'
import { CallsUnderWay } from './client/calls-under-way.js'
import type { Host } from './client/link.js'
import { OutageLog } from './client/outage-log.js'
import { StoreWatch } from './client/store-watch.js'
import { SYSTEM_TIME } from './client/time.js'
import { WatchedSchedule } from './client/watched-schedule.js'
import { WatchedStore } from './client/watched-store.js'
import { Deadlines } from './client/deadlines.js'
import { connectionErrors, guardLogger, newCounters, replacedConnections, type Logger } from './client/log.js'
import { checkSettings } from './config/check.js'
import { connectSchema, type Consistency, type OnRedisDown } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import { isBusbarError, isLockedOut, meansLost } from './model/errors.js'
import type { Clock } from './model/ports.js'
import type { SettingsInput } from './model/settings.js'
import type { RedisAddress } from './redis/address.js'
import { RedisConnection } from './redis/connection.js'
import { unavailable } from './redis/errors.js'
import { RedisFeed } from './redis/feed.js'
import { inspectRedis } from './redis/inspect.js'
import type { LuaSourceOptions } from './redis/lua-source.js'
import { RedisSchedule } from './redis/schedule.js'
import { RedisStore } from './redis/store.js'

export interface ConnectOptions {
  /**
   * `redis://`, `rediss://`, a socket's path, `redis+sentinel://host:port,host:port/master-name`,
   * `redis+cluster://host:port,host:port`, a list of nodes of a Cluster, ioredis options, or an ioredis client
   * (`Redis` or `Cluster`; duplicated, never closed by us). It says where Redis is and how to log in; how a connection
   * behaves (time limits, retries, offline queue) is ours. A `keyPrefix` is refused: see `namespace`.
   */
  readonly redis: RedisAddress
  /** Key prefix of one fleet; 1 to 128 characters of `A-Za-z0-9._:/@-`, default `busbar`. */
  readonly namespace?: string | undefined
  /** Settings that every provider starts from. */
  readonly defaults?: SettingsInput | undefined
  /** Providers to register at once. */
  readonly providers?: Readonly<Record<string, SettingsInput>> | undefined
  /** `cached` (default): closed and open circuits are judged locally. `strict`: every admission asks Redis. */
  readonly consistency?: Consistency | undefined
  /**
   * How calls are decided while Redis does not answer. `local` (default): by the same rules in this process alone, from
   * what was known last. `allow`: all are admitted, but for an operator's mark. `deny`: all are refused.
   */
  readonly onRedisDown?: OnRedisDown | undefined
  /** Name of this process in events; default host name, pid and four random letters. */
  readonly workerId?: string | undefined
  /** A pino logger, or anything of its shape; `false` for none. Default: pino, level info, to standard error. */
  readonly logger?: Logger | false | undefined
  /** How long one Redis command may take, ms. 1 to 60 000, default 200. */
  readonly commandTimeoutMs?: number | undefined
  /** How long good news may wait in this process, ms; a failure goes at once. 1 to 10 000, default 100. */
  readonly flushIntervalMs?: number | undefined
  /** What one provider may cost its Redis, batches of the whole fleet per second. 1 to 1 000 000, default 1 000. */
  readonly maxBatchesPerSecond?: number | undefined
  /** Queues that the fleet's probes are spread over, the same in every process. 1 to 64, default 1. */
  readonly probeQueues?: number | undefined
  /** Whether the process may end while connected. Default false. */
  readonly unref?: boolean | undefined
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/**
 * Connects this process to its fleet. While Redis does not answer, it begins without it and joins when Redis is there;
 * with `onRedisDown: 'deny'` it rejects.
 * @throws SettingsError for an option that makes no sense; RedisUnsupportedError; RedisUnavailableError when Redis refuses
 *   (a wrong password), or does not answer and `onRedisDown` is `deny`.
 */
export function connect(options: ConnectOptions): Promise<Busbar> {
  return connectWith(options, {})
}

/** See `MarkTimer`. */
const MARK_JITTER_MS = 250

/** As `connect`, with other Lua and another clock: how tests move time. */
export async function connectWith(
  options: ConnectOptions,
  source: LuaSourceOptions,
  clock: Clock = performance,
): Promise<Busbar> {
  const checked = checkSettings(connectSchema, options)
  const { defaults = {}, providers = {}, logger, redis } = options
  resolveSettings({}, defaults)
  const counters = newCounters()
  const plainLog = logger === false ? SILENT : guardLogger(logger ?? (await defaultLogger()), counters)
  const log = new OutageLog(plainLog)
  const { namespace, commandTimeoutMs, unref } = checked
  // A message that makes no sense is no error of the connection that brought it.
  const explain = (error: Error) =>
    isBusbarError(error) || error instanceof SyntaxError
      ? error
      : unavailable('a connection', error, commandTimeoutMs)
  const onError = connectionErrors({ log, counters }, 'Redis connection error', explain)
  // Logged whatever else is: it says what was wrong with the way to Redis.
  const onReplaced = replacedConnections(plainLog, counters)
  const deadlines = new Deadlines()
  const connection = new RedisConnection(redis, { commandTimeoutMs, unref, onError, onReplaced, deadlines })
  const redisStore = new RedisStore(connection, namespace, source)
  let connected = false
  const greet = async () => {
    await connection.connect()
    await redisStore.checkSchema()
    connected = true
  }
  const worker =
    checked.workerId ??
    `${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}-${process.pid}-${randomBytes(2).toString('hex')}`.slice(
      -128,
    )
  const ping = async () => {
    if (connected) await connection.openNodes()
    else await greet()
    await redisStore.epoch()
    // A server that refuses writes answers reads. A user without the right to this key shows nothing by it.
    await redisStore.heartbeat(worker).catch((error: unknown) => {
      if (meansLost(error)) throw error
    })
  }
  const watch = new StoreWatch({ ping, log, unref })
  await greet().catch((error: unknown) => {
    if (checked.onRedisDown === 'deny' || !meansLost(error) || isLockedOut(error)) throw error
    watch.fail(error)
  })
  const shards = { namespace, shards: checked.probeQueues }
  const schedule = new WatchedSchedule(new RedisSchedule(connection, shards, source), watch)
  const host: Host = {
    store: new WatchedStore(redisStore, watch),
    watch,
    worker,
    incarnation: randomUUID(),
    ...{ ...SYSTEM_TIME, clock },
    log,
    counters,
    commandTimeoutMs,
    flushIntervalMs: checked.flushIntervalMs,
    maxBatchesPerSecond: checked.maxBatchesPerSecond,
    markJitterMs: MARK_JITTER_MS,
    unref,
    deadlines,
    commandDeadlines: { set: (ms, fire) => deadlines.setForAnswer(ms, fire) },
    calls: new CallsUnderWay(),
    schedule,
    closed: false,
  }
  const busbar = new Busbar({
    host,
    feed: new RedisFeed(connection, namespace, onError),
    namespace,
    defaults,
    consistency: checked.consistency,
    onRedisDown: checked.onRedisDown,
    // Loaded only where it is needed, so that a process without probes does not load bullmq.
    startProbes: async (owner, options) => {
      const { startProbeWorker } = await import('./probes/worker.js')
      return startProbeWorker(owner, { schedule, openConnection: connection.openBlocking }, options)
    },
    probe: async (...args) => (await import('./probes/probe-now.js')).probeNow(...args),
    inspect: async () => {
      const facts = await inspectRedis(connection, { namespace, worker, prefixes: schedule.prefixes })
      const readable = facts.wrongTypes?.every(({ key }) => !key.startsWith('{')) ?? true
      return { ...facts, planned: readable ? await schedule.list() : [] }
    },
  })
  try {
    await connection.holding(async () => {
      await busbar.open()
      await Promise.all(Object.entries(providers).map(([id, settings]) => busbar.provider(id, settings)))
    })
  } catch (error) {
    await busbar.close()
    throw error
  }
  return busbar
}

/** Loaded only where it is needed: a process with a logger of its own does not load pino. */
async function defaultLogger(): Promise<Logger> {
  const { pino } = await import('pino')
  const logger: Logger = pino({ name: 'busbar' }, pino.destination({ fd: 2, sync: true }))
  return logger
}
