import type { RedisConnection } from './connection.js'
import { fleetKeys } from './keys.js'

/**
 * Members of families, by the time from which on they may be idle: a key of its own, which says where to look. Whether one is
 * idle is decided by its own keys (`lua/expire.lua`), so an entry that is old or wrong does no harm.
 */
export class IdleIndex {
  readonly #redis: RedisConnection
  readonly #key: string
  readonly #nowMs: () => Promise<number>

  /** `nowMs`: Redis's clock, by which members are looked for and nothing is decided. */
  constructor(redis: RedisConnection, namespace: string, nowMs: () => Promise<number>) {
    this.#redis = redis
    this.#key = fleetKeys(namespace).idle
    this.#nowMs = nowMs
  }

  /** Null: it is never idle, or gone. */
  async set(id: string, idleAtMs: number | null): Promise<void> {
    if (idleAtMs === null) await this.#redis.run('zrem', [this.#key, id])
    else await this.#redis.run('zadd', [this.#key, idleAtMs, id])
  }

  async list(count: number): Promise<readonly string[]> {
    const range = ['-inf', await this.#nowMs(), 'LIMIT', 0, count]
    const found: unknown = await this.#redis.run('zrangebyscore', [this.#key, ...range])
    return Array.isArray(found) ? found.map(String) : []
  }
}
