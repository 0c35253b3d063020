import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { BusbarCore } from './client/busbar-core.js'
import { Busbar } from './client/busbar.js'
import type { BusbarParts } from './client/busbar-parts.js'
import { CallsUnderWay } from './client/call/calls-under-way.js'
import type { ProcessContext } from './client/context.js'
import { FailFastSchedule } from './client/outage/fail-fast-schedule.js'
import { FailFastStore } from './client/outage/fail-fast-store.js'
import { OutageLog } from './client/outage/outage-log.js'
import { StoreWatch } from './client/outage/store-watch.js'
import { Deadlines } from './client/shared/deadlines.js'
import {
  connectionErrors,
  guardLogger,
  newCounters,
  replacedConnections,
  SILENT,
  type Counters,
  type Logger,
} from './client/shared/log.js'
import { Observers } from './client/shared/observers.js'
import { SYSTEM_TIME } from './client/shared/time.js'
import { checkSettings } from './config/check.js'
import { failureDomainOf } from './config/failure-domain.js'
import { connectSchema } from './config/options.js'
import { resolveSettings } from './config/settings.js'
import type { ConnectOptions } from './connect-options.js'
import { isBusbarError, isLockedOut, meansLost } from './model/errors.js'
import type { HookStore } from './model/ports/hook-store.js'
import type { Clock } from './model/ports/time.js'
import type { RedisConnection } from './redis/connection.js'
import { unavailable } from './redis/errors.js'
import { RedisFeed } from './redis/feed.js'
import { RedisHookStore } from './redis/hook-store.js'
import { inspectRedis, readWorkers } from './redis/inspect.js'
import type { LuaSourceOptions } from './redis/lua-source.js'
import { openStore } from './redis/open-store.js'
import { RedisSchedule } from './redis/schedule.js'
import type { ProbesByHand } from './probes/by-hand.js'

/** Checks the options, puts the parts together, and connects: see `connect`. */
export async function assemble(
  options: ConnectOptions,
  source: LuaSourceOptions,
  clock: Clock,
): Promise<Busbar> {
  const checked = checkOptions(options)
  const { defaults = {}, providers = {} } = options
  resolveSettings({}, defaults)
  const counters = newCounters()
  const plainLog = await loggerOf(options.logger, counters)
  const setUp = { options, checked, source, clock, counters, plainLog, log: new OutageLog(plainLog) }
  const fleet = await openFleet(setUp)
  const busbar = new Busbar({ ...partsOf(fleet), namespace: checked.namespace, defaults })
  try {
    await fleet.connection.holding(async () => {
      await fleet.core.open()
      await Promise.all(Object.entries(providers).map(([id, settings]) => busbar.provider(id, settings)))
    })
  } catch (error) {
    await busbar.close()
    throw error
  }
  return busbar
}

interface SetUp {
  readonly options: ConnectOptions
  readonly checked: ReturnType<typeof checkOptions>
  readonly source: LuaSourceOptions
  readonly clock: Clock
  readonly counters: Counters
  /** Writes every line it is given. */
  readonly plainLog: Logger
  /** Keeps an outage to a line or two. */
  readonly log: OutageLog
}

const checkOptions = (options: ConnectOptions) => checkSettings(connectSchema, options)

interface Fleet {
  readonly core: BusbarCore
  readonly connection: RedisConnection
  readonly schedule: FailFastSchedule
  readonly hooks: HookStore
  readonly namespace: string
}

/** Opens what this process shares with its fleet. A Redis that does not answer counts as lost, where the options allow it. */
async function openFleet(setUp: SetUp): Promise<Fleet> {
  const { checked, source, log } = setUp
  const { namespace, unref, consistency, onRedisDown } = checked
  const worker = checked.workerId ?? workerName()
  const failureDomain = failureDomainOf(checked.failureDomain)
  const deadlines = new Deadlines()
  const { connection, store, open, ping } = openStore(storeOptions(setUp, worker, deadlines), source)
  const watch = new StoreWatch({ ping, log, unref })
  await open().catch((error: unknown) => {
    if (onRedisDown === 'deny' || !meansLost(error) || isLockedOut(error)) throw error
    watch.fail(error)
  })
  const shards = { namespace, shards: checked.probeQueues }
  const schedule = new FailFastSchedule(new RedisSchedule(connection, shards, source), watch)
  const observers = observersOf(setUp, worker, failureDomain)
  const guarded = new FailFastStore(store, watch, observers)
  const shared = { store: guarded, watch, schedule, worker, failureDomain, deadlines, observers }
  const feed = new RedisFeed(connection, namespace, errorsOf(setUp))
  const core = new BusbarCore({ context: contextOf(setUp, shared), feed, consistency, onRedisDown })
  return { core, connection, schedule, hooks: new RedisHookStore(connection, namespace, source), namespace }
}

function storeOptions(setUp: SetUp, worker: string, deadlines: Deadlines) {
  const { namespace, commandTimeoutMs, unref } = setUp.checked
  // Logged whatever else is: it says what was wrong with the way to Redis.
  const onReplaced = replacedConnections(setUp.plainLog, setUp.counters)
  const onError = errorsOf(setUp)
  const { redis } = setUp.options
  return { redis, namespace, worker, commandTimeoutMs, unref, onError, onReplaced, deadlines }
}

const errorsOf = (setUp: SetUp): ((error: Error) => void) =>
  connectionErrors(setUp, 'Redis connection error', (error) =>
    // A message that makes no sense is no error of the connection that brought it.
    isBusbarError(error) || error instanceof SyntaxError
      ? error
      : unavailable('a connection', error, setUp.checked.commandTimeoutMs),
  )

type Shared = Pick<
  ProcessContext,
  'store' | 'watch' | 'schedule' | 'worker' | 'failureDomain' | 'observers'
> & {
  readonly deadlines: Deadlines
}

function observersOf({ options, log, counters }: SetUp, worker: string, domain: string): Observers {
  const observers = new Observers({ worker, domain, log, counters })
  observers.add({ outcome: options.onOutcome })
  return observers
}

function contextOf({ checked, clock, counters, log }: SetUp, shared: Shared): ProcessContext {
  const { commandTimeoutMs, flushIntervalMs, maxBatchesPerSecond, unref } = checked
  const { deadlines } = shared
  return {
    ...shared,
    ...{ ...SYSTEM_TIME, clock },
    ...{ commandTimeoutMs, flushIntervalMs, maxBatchesPerSecond, unref, log, counters },
    incarnation: randomUUID(),
    markJitterMs: MARK_JITTER_MS,
    commandDeadlines: { set: (ms, fire) => deadlines.setForAnswer(ms, fire) },
    calls: new CallsUnderWay(),
    closed: false,
  }
}

/** The parts that are loaded only where they are needed, so that a process without probes does not load bullmq. */
function partsOf({
  core,
  connection,
  schedule,
  hooks,
  namespace,
}: Fleet): Omit<BusbarParts, 'namespace' | 'defaults'> {
  const { worker } = core.context
  const access = { schedule, openConnection: connection.openBlocking }
  let probesByHand: Promise<ProbesByHand> | undefined
  return {
    core,
    startProbes: async (owner, options) => {
      const { startProbeWorker } = await import('./probes/worker.js')
      return startProbeWorker(owner, access, options)
    },
    startAlerts: async (owner, options) => {
      const { startAlertWorker } = await import('./alerts/worker.js')
      return startAlertWorker(owner, { hooks, namespace, openConnection: connection.openBlocking }, options)
    },
    probe: async (owner, request) => {
      probesByHand ??= import('./probes/by-hand.js').then(
        ({ ProbesByHand }) => new ProbesByHand({ busbar: owner, ...access }),
      )
      return (await probesByHand).probe(request)
    },
    workers: () => core.context.watch.ask('the workers', () => readWorkers(connection, namespace)),
    inspect: async () => {
      const facts = await inspectRedis(connection, { namespace, worker, prefixes: schedule.prefixes })
      const readable = facts.wrongTypes?.every(({ key }) => !key.startsWith('{')) ?? true
      return { ...facts, planned: readable ? await schedule.list() : [] }
    },
  }
}

/** Host, process, and a little more: unique without being told. */
function workerName(): string {
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '-')
  return `${host}-${process.pid}-${randomBytes(2).toString('hex')}`.slice(-MAX_WORKER_NAME)
}

/** Pino is loaded only where it is needed: a process with a logger of its own does not load it. */
async function loggerOf(logger: ConnectOptions['logger'], counters: Counters): Promise<Logger> {
  if (logger === false) return SILENT
  if (logger !== undefined) return guardLogger(logger, counters)
  const { pino } = await import('pino')
  const plain: Logger = pino({ name: 'busbar' }, pino.destination({ fd: 2, sync: true }))
  return guardLogger(plain, counters)
}

/** See `MarkTimer`. */
const MARK_JITTER_MS = 250
const MAX_WORKER_NAME = 128
