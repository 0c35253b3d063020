import type { Inspection } from '../model/inspection.js'
import type { RedisConnection } from './connection.js'
import { findWrongTypes, keysOfFleet, keysOfProvider } from './key-types.js'
import { fleetKeys } from './keys.js'
import { flatten, scriptNames } from './lua-source.js'
import { withTimeout } from '../model/timeout.js'
import { parseHash, parseScores, parseTime } from './parse.js'
import { seenWorkers } from './worker-index.js'

/**
 * Inspects the server behind a fleet and the keys of the fleet as a whole. Null stands for what a server does not give:
 * a managed one refuses CONFIG. Writes nothing but scripts into the server's cache, and one message to a channel of its
 * own.
 */
export async function inspectRedis(
  redis: RedisConnection,
  { namespace, worker, prefixes }: { namespace: string; worker: string; prefixes: readonly string[] },
): Promise<Omit<Inspection, 'planned' | 'pausedProbeQueues'>> {
  const keys = fleetKeys(namespace)
  const wrongTypes = await lookForWrongTypes(redis, namespace, prefixes)
  const readable = (key: string) => wrongTypes?.every((wrong) => wrong.key !== key) ?? true
  const { roundTripsMs, clockAheadMs, nowMs } = await measure(redis)
  const info = parseInfo(await redis.run('info', []))
  const saveRules = await readConfig(redis, 'save')
  const schema = readable(keys.meta) ? await redis.run('hget', [keys.meta, 'schema']) : null
  const scores = async (key: string) => (readable(key) ? await seenAt(redis, key) : NOBODY)
  return {
    ...describeServer(info),
    saveRules,
    schema: typeof schema === 'string' ? schema : null,
    roundTripsMs,
    clockAheadMs,
    ...(await loadScripts(redis)),
    pubSubProblem: await tryPubSub(redis, `${namespace}:doctor:${worker}`),
    wrongTypes,
    workers: seenWorkers(await scores(keys.workers), await scores(keys.workerDomains), nowMs),
  }
}

/** The processes of a fleet, when each sent its last heartbeat, and their failure domains. Three commands. */
export async function readWorkers(redis: RedisConnection, namespace: string): Promise<Inspection['workers']> {
  const keys = fleetKeys(namespace)
  const [workers, domains, time] = await Promise.all([
    seenAt(redis, keys.workers),
    seenAt(redis, keys.workerDomains),
    redis.run('time', []),
  ])
  return seenWorkers(workers, domains, parseTime(time))
}

const NOBODY: ReadonlyMap<string, number> = new Map()

const seenAt = async (redis: RedisConnection, key: string): Promise<ReadonlyMap<string, number>> =>
  parseScores(await redis.run('zrange', [key, 0, -1, 'WITHSCORES']))

/** The server by its own INFO. */
function describeServer(info: ReadonlyMap<string, string>) {
  const number = (field: string): number | null => {
    const value = Number(info.get(field) ?? 'none')
    return Number.isFinite(value) ? value : null
  }
  const appendOnly = number('aof_enabled')
  const lastWrites = ['rdb_last_bgsave_status', 'aof_last_write_status'].flatMap(
    (field) => info.get(field) ?? [],
  )
  return {
    version: info.get('valkey_version') ?? info.get('redis_version') ?? null,
    role: info.get('role') ?? null,
    evictionPolicy: info.get('maxmemory_policy') ?? null,
    maxmemoryBytes: number('maxmemory'),
    usedMemoryBytes: number('used_memory'),
    appendOnly: appendOnly === null ? null : appendOnly === 1,
    persistenceOk: lastWrites.length === 0 ? null : lastWrites.every((status) => status === 'ok'),
    hz: number('configured_hz') ?? number('hz'),
  }
}

async function lookForWrongTypes(redis: RedisConnection, namespace: string, prefixes: readonly string[]) {
  const ofFleet = await findWrongTypes(redis, keysOfFleet(namespace, prefixes))
  const { providers } = fleetKeys(namespace)
  if (ofFleet === null || ofFleet.some(({ key }) => key === providers)) return ofFleet
  const ids = await redis.run('zrange', [providers, 0, -1])
  const keys = (Array.isArray(ids) ? ids : []).flatMap((id) => keysOfProvider(namespace, String(id)))
  const ofProviders = await findWrongTypes(redis, keys)
  return ofProviders === null ? ofFleet : [...ofFleet, ...ofProviders]
}

const ROUND_TRIPS = 9

/** The clock is read in the shortest round trip, because the middle of the shortest is the most exact. */
async function measure(redis: RedisConnection) {
  const samples: { tookMs: number; aheadMs: number }[] = []
  for (let i = 0; i < ROUND_TRIPS; i += 1) {
    const began = performance.now()
    const wallBefore = Date.now()
    const time = await redis.run('time', [])
    const tookMs = performance.now() - began
    const redisMs = Array.isArray(time) ? Number(time[0]) * 1_000 + Number(time[1]) / 1_000 : NaN
    samples.push({ tookMs, aheadMs: redisMs - (wallBefore + tookMs / 2) })
  }
  samples.sort((a, b) => a.tookMs - b.tookMs)
  const clockAheadMs = Math.round(samples[0]?.aheadMs ?? 0)
  return { roundTripsMs: samples.map(({ tookMs }) => tookMs), clockAheadMs, nowMs: Date.now() + clockAheadMs }
}

const parseInfo = (reply: unknown): ReadonlyMap<string, string> =>
  new Map(
    String(reply)
      .split(/\r?\n/)
      .flatMap((line): [string, string][] => {
        const [, field, value] = /^([a-z_]\w*):(.*)$/.exec(line) ?? []
        return field === undefined || value === undefined ? [] : [[field, value]]
      }),
  )

async function readConfig(redis: RedisConnection, name: string): Promise<string | null> {
  try {
    const reply = await redis.run('config', ['GET', name])
    if (Array.isArray(reply)) return typeof reply[1] === 'string' ? reply[1] : null
    return parseHash(reply)[name] ?? null
  } catch {
    return null // Managed servers refuse it. If the server is gone, the next command rejects.
  }
}

async function loadScripts(redis: RedisConnection) {
  const names = scriptNames()
  for (const name of names) {
    try {
      await redis.run('script', ['LOAD', flatten(name)])
    } catch (error) {
      return { scriptCount: names.length, scriptsProblem: `${name}: ${causeOf(error)}` }
    }
  }
  return { scriptCount: names.length, scriptsProblem: null }
}

const MESSAGE_WITHIN_MS = 1_000

/** Sends a message to a connection of its own. Null when it comes back, else the problem. */
async function tryPubSub(redis: RedisConnection, channel: string): Promise<string | null> {
  const client = redis.openSubscriber()
  try {
    const came = new Promise<null>((resolve) => client.on('message', () => resolve(null)))
    const asked = (async () => {
      await client.connect()
      await client.subscribe(channel)
      await redis.run('publish', [channel, 'hello'])
      return came
    })()
    return await withTimeout(
      asked,
      MESSAGE_WITHIN_MS,
      () => `no message came back within ${MESSAGE_WITHIN_MS} ms`,
    )
  } catch (error) {
    return causeOf(error)
  } finally {
    client.disconnect()
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
