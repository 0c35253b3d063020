import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { Busbar } from './client/busbar.js'
import { CallsUnderWay } from './client/call/calls-under-way.js'
import type { ProcessContext } from './client/context.js'
import { OutageLog } from './client/outage/outage-log.js'
import { StoreWatch } from './client/outage/store-watch.js'
import { SYSTEM_TIME } from './client/shared/time.js'
import { FailFastSchedule } from './client/outage/fail-fast-schedule.js'
import { FailFastStore } from './client/outage/fail-fast-store.js'
import { Deadlines } from './client/shared/deadlines.js'
import {
  connectionErrors,
  guardLogger,
  newCounters,
  replacedConnections,
  type Logger,
} from './client/shared/log.js'
import { checkSettings } from './config/check.js'
import { connectSchema } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import type { ConnectOptions } from './connect-options.js'
import { isBusbarError, isLockedOut, meansLost } from './model/errors.js'
import type { Clock } from './model/ports.js'
import { RedisConnection } from './redis/connection.js'
import { unavailable } from './redis/errors.js'
import { RedisFeed } from './redis/feed.js'
import { inspectRedis } from './redis/inspect.js'
import type { LuaSourceOptions } from './redis/lua-source.js'
import { RedisSchedule } from './redis/schedule.js'
import { RedisStore } from './redis/store.js'
import type { ProbesByHand } from './probes/by-hand.js'

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** See `MarkTimer`. */
const MARK_JITTER_MS = 250

/** Checks the options, puts the parts together, and connects: see `connect`. */
export async function assemble(
  options: ConnectOptions,
  source: LuaSourceOptions,
  clock: Clock,
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
  const openConnection = async () => {
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
    else await openConnection()
    await redisStore.epoch()
    // A server that refuses writes answers reads. A user without the right to this key shows nothing by it.
    await redisStore.touchWorker(worker).catch((error: unknown) => {
      if (meansLost(error)) throw error
    })
  }
  const watch = new StoreWatch({ ping, log, unref })
  await openConnection().catch((error: unknown) => {
    if (checked.onRedisDown === 'deny' || !meansLost(error) || isLockedOut(error)) throw error
    watch.fail(error)
  })
  const shards = { namespace, shards: checked.probeQueues }
  const schedule = new FailFastSchedule(new RedisSchedule(connection, shards, source), watch)
  const context: ProcessContext = {
    store: new FailFastStore(redisStore, watch),
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
  const access = { schedule, openConnection: connection.openBlocking }
  let probesByHand: Promise<ProbesByHand> | undefined
  const busbar = new Busbar({
    context,
    feed: new RedisFeed(connection, namespace, onError),
    namespace,
    defaults,
    consistency: checked.consistency,
    onRedisDown: checked.onRedisDown,
    // Loaded only where it is needed, so that a process without probes does not load bullmq.
    startProbes: async (owner, options) => {
      const { startProbeWorker } = await import('./probes/worker.js')
      return startProbeWorker(owner, access, options)
    },
    probe: async (owner, request) => {
      probesByHand ??= import('./probes/by-hand.js').then(
        ({ ProbesByHand }) => new ProbesByHand({ busbar: owner, ...access }),
      )
      return (await probesByHand).probe(request)
    },
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
