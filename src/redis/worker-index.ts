import type { Inspection } from '../model/inspection.js'
import type { RedisConnection } from './connection.js'
import { fleetKeys } from './keys.js'

const WORKER_TTL_MS = 600_000

/** Processes by their last heartbeat, and the failure domain that each names. Information only; no decision reads it. */
export class WorkerIndex {
  readonly #redis: RedisConnection
  readonly #keys: ReturnType<typeof fleetKeys>
  readonly #nowMs: () => Promise<number>

  constructor(redis: RedisConnection, namespace: string, nowMs: () => Promise<number>) {
    this.#redis = redis
    this.#keys = fleetKeys(namespace)
    this.#nowMs = nowMs
  }

  async touch(worker: string, domain: string | undefined): Promise<void> {
    const now = await this.#nowMs()
    await this.#put(this.#keys.workers, worker, now)
    if (domain !== undefined) await this.#put(this.#keys.workerDomains, `${domain} ${worker}`, now)
  }

  async #put(key: string, member: string, now: number): Promise<void> {
    await this.#redis.run('zadd', [key, now, member])
    await this.#redis.run('zremrangebyscore', [key, '-inf', now - WORKER_TTL_MS])
  }
}

/** Members of both keys by their scores. A process that changed its domain is in the one that it named last. */
export function seenWorkers(
  workers: ReadonlyMap<string, number>,
  memberships: ReadonlyMap<string, number>,
  nowMs: number,
): Inspection['workers'] {
  const newestLast = [...memberships].sort(([, a], [, b]) => a - b)
  const domains = new Map(
    newestLast.map(([member]): [string, string] => {
      // Neither name contains a space.
      const [domain = '', worker = ''] = member.split(' ')
      return [worker, domain]
    }),
  )
  return [...workers].map(([id, at]) => ({
    id,
    lastSeenAgoMs: Math.max(0, nowMs - at),
    domain: domains.get(id) ?? null,
  }))
}
