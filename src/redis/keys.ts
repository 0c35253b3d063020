/** What TYPE says of the keys of one provider; one hash tag, so that a script stays in one slot of a Cluster. */
export const PROVIDER_KEYS = {
  config: 'hash',
  circuit: 'hash',
  history: 'zset',
  trials: 'zset',
  events: 'stream',
  window: 'hash',
  domains: 'hash',
  batches: 'hash',
  outages: 'stream',
  workers: 'hash',
} as const
export type ProviderKey = keyof typeof PROVIDER_KEYS

export const keyOfProvider = (namespace: string) => (id: string, key: string) => `${namespace}:{${id}}:${key}`

export const providerKey = (namespace: string, id: string, key: ProviderKey): string =>
  keyOfProvider(namespace)(id, key)

/** What TYPE says of the keys of the whole namespace. */
export const FLEET_KEYS = {
  meta: 'hash',
  providers: 'zset',
  workers: 'zset',
  worker_domains: 'zset',
  idle: 'zset',
} as const

/** What TYPE says of the keys of one shard. */
export const SHARD_KEYS = {
  due: 'zset',
  intervals: 'hash',
  claimed: 'zset',
  one_offs: 'zset',
  schedule: 'hash',
} as const

/** The keys of one shard of the schedule of probes; beside the queue's, in the same slot. */
export const SCHEDULE_KEYS = ['due', 'intervals', 'claimed', 'one_offs', 'schedule'] as const
/** Keys of the shard's queue, as BullMQ names them: the jobs that wait, and the queue's own settings. */
export const QUEUE_KEYS = ['wait', 'meta'] as const
export type ScheduleKey = (typeof SCHEDULE_KEYS)[number] | (typeof QUEUE_KEYS)[number]

export const keyOfShard = (prefix: string, key: string): string => `${prefix}:${key}`

/** A key that a script of the schedule calls `key`. */
export const scheduleKey = (prefix: string, key: string): string =>
  key === 'wait' || key === 'meta' ? queueKey(queueOfShard(prefix), key) : keyOfShard(prefix, key)

/** The probe queue of a shard, by the name of its keys. */
export const queueOfShard = (prefix: string): string => keyOfShard(prefix, PROBE_QUEUE)

/**
 * The name of a probe queue, as BullMQ knows it: of a shard, or of what its probes need (`function/<name>`). BullMQ
 * gives colons a meaning; `~` is no letter of a name.
 */
export const queueName = (needs: string): string =>
  needs === '' ? PROBE_QUEUE : `${PROBE_QUEUE}-${needs.replace('/', '-').replaceAll(':', '~')}`

const PROBE_QUEUE = 'probes'

/** Queues of names lie here, however many shards there are; and what says which workers take from them. */
export const namesPrefix = (namespace: string): string => `{${namespace}}`
export const NAMED_QUEUES_KEY = 'named_queues'

/** Types of the keys of one hook of the alerts, as TYPE names them. */
export const HOOK_KEYS = { hook: 'hash', hook_cursors: 'hash' } as const
export type HookKey = keyof typeof HOOK_KEYS

/** All keys of a hook, and its queue, lie in the slot of the queues of names. */
export const hookKey =
  (namespace: string) =>
  (hook: string, key: string): string =>
    `${namesPrefix(namespace)}:${key}:${hook}`

/** The queue of a hook, as BullMQ knows it. */
export const hookQueueName = (hook: string): string => `alerts-${hook}`

/** A key of a queue by what BullMQ calls it: `wait`, `paused`, `active`, `meta`. The hash `meta` has the field `paused` while it is paused. */
export const queueKey = (queue: string, key: string): string => `${queue}:${key}`

/**
 * The channel of changes. Pub/Sub knows no databases, so each database but the first has a channel of its own: a fleet
 * in one must not hear of the fleet of the same namespace in another.
 */
export const changesChannel = (namespace: string, database: number): string =>
  database === 0 ? `${namespace}:changes` : `${namespace}:changes:${database}`

/** The members of a group of providers: a zset of ids, score = Redis ms at which they joined. */
export const groupKey = (namespace: string, group: string): string => `${namespace}:group:${group}`

/** Keys of the whole namespace. */
export const fleetKeys = (namespace: string) => ({
  meta: `${namespace}:meta`,
  providers: `${namespace}:providers`,
  workers: `${namespace}:workers`,
  workerDomains: `${namespace}:worker_domains`,
  idle: `${namespace}:idle`,
})
