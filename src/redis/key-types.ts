import { redisFailure } from '../model/errors.js'
import type { WrongType } from '../model/inspection.js'
import type { RedisConnection } from './connection.js'
import { FLEET_KEYS, fleetKeys, keyOfProvider, keyOfShard, PROVIDER_KEYS, SHARD_KEYS } from './keys.js'

/** A key, the type that Busbar keeps there, and whose it is. */
export type TypedKey = Omit<WrongType, 'found'>

export function keysOfProvider(namespace: string, id: string): TypedKey[] {
  const keyOf = keyOfProvider(namespace)
  return Object.entries(PROVIDER_KEYS).map(([key, expected]) => ({
    key: keyOf(id, key),
    expected,
    provider: id,
  }))
}

/** Those of the whole namespace, and of the schedule of probes in its shards. */
export function keysOfFleet(namespace: string, prefixes: readonly string[]): TypedKey[] {
  const { meta, providers, workers, worker_domains: workerDomains, idle } = FLEET_KEYS
  const keys = fleetKeys(namespace)
  const fleet = [
    [keys.meta, meta],
    [keys.providers, providers],
    [keys.workers, workers],
    [keys.workerDomains, workerDomains],
    [keys.idle, idle],
  ] as const
  const shards = prefixes.flatMap((prefix) =>
    Object.entries(SHARD_KEYS).map(([key, expected]) => [keyOfShard(prefix, key), expected] as const),
  )
  return [...fleet, ...shards].map(([key, expected]) => ({ key, expected, provider: null }))
}

/** So many keys are asked for at once: more would wait for each other longer than a command may. */
const AT_ONCE = 300

/** Those whose type is another; null when this user may not ask. A key that is not there has no type. */
export async function findWrongTypes(
  redis: RedisConnection,
  keys: readonly TypedKey[],
): Promise<WrongType[] | null> {
  const wrong: WrongType[] = []
  try {
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const some = keys.slice(from, from + AT_ONCE)
      const types = await Promise.all(some.map(({ key }) => redis.run('type', [key])))
      some.forEach((typed, at) => {
        const found = String(types[at])
        if (found !== typed.expected && found !== 'none') wrong.push({ ...typed, found })
      })
    }
    return wrong
  } catch (error) {
    if (redisFailure(error) === 'permanent') return null
    throw error
  }
}
