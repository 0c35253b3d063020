/** What TYPE says of the keys of one provider; one hash tag, so that a script stays in one slot of a Cluster. */
export const PROVIDER_KEYS = {
  config: 'hash',
  circuit: 'hash',
  history: 'zset',
  trials: 'zset',
  events: 'stream',
  batches: 'hash',
  outages: 'stream',
} as const
export type ProviderKey = keyof typeof PROVIDER_KEYS

export const keyOfProvider = (namespace: string) => (id: string, key: string) => `${namespace}:{${id}}:${key}`

export const providerKey = (namespace: string, id: string, key: ProviderKey): string =>
  keyOfProvider(namespace)(id, key)

/** What TYPE says of the keys of the whole namespace. */
export const FLEET_KEYS = { meta: 'hash', providers: 'zset', workers: 'zset' } as const

/** What TYPE says of the keys of one shard. */
export const SHARD_KEYS = { due: 'zset', paces: 'hash', claimed: 'zset', rounds: 'hash' } as const

/** The keys of one shard of the schedule of probes; beside the queue's, in the same slot. */
export const SCHEDULE_KEYS = ['due', 'paces', 'claimed', 'rounds'] as const
export type ScheduleKey = (typeof SCHEDULE_KEYS)[number]

export const keyOfShard = (prefix: string, key: string): string => `${prefix}:${key}`

/** The probe queue of a shard, as BullMQ names its keys. */
export const queueOfShard = (prefix: string): string => keyOfShard(prefix, 'probes')

/** The queue's own settings, a hash of BullMQ's: it has the field `paused` while the queue is paused. */
export const queueMetaKey = (prefix: string): string => `${queueOfShard(prefix)}:meta`

/**
 * The channel of changes. Pub/Sub knows no databases, so each database but the first has a channel of its own: a fleet
 * in one must not hear of the fleet of the same namespace in another.
 */
export const changesChannel = (namespace: string, database: number): string =>
  database === 0 ? `${namespace}:changes` : `${namespace}:changes:${database}`

/** Keys of the whole namespace. */
export const fleetKeys = (namespace: string) => ({
  meta: `${namespace}:meta`,
  providers: `${namespace}:providers`,
  workers: `${namespace}:workers`,
})
