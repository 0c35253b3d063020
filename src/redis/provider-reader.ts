import { unflattenSettings } from '../config/flat.js'
import type { ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { SettingsReply } from '../model/ports/store.js'
import { SETTINGS_ABOUT } from '../model/setting-fields.js'
import type { HistoryEntry } from '../model/snapshot.js'
import type { RedisConnection } from './connection.js'
import { unavailable } from './errors.js'
import { findWrongTypes, keysOfProvider } from './key-types.js'
import { providerKey } from './keys.js'
import { parseHash, parseHistory, parseOutages, parseStream } from './parse.js'

/** Reads of a provider's keys that no script makes: each is one command, and decides nothing. */
export class ProviderReader {
  readonly #redis: RedisConnection
  readonly #namespace: string

  constructor(redis: RedisConnection, namespace: string) {
    this.#redis = redis
    this.#namespace = namespace
  }

  async settings(id: string): Promise<SettingsReply | null> {
    const flat = parseHash(await this.#redis.run('hgetall', [this.#key(id, 'config')]))
    const { revision, set_by: setBy, set_at_ms: setAt, pinned } = flat
    if (revision === undefined) return null
    for (const field of SETTINGS_ABOUT) Reflect.deleteProperty(flat, field)
    return {
      ...unflattenSettings(flat),
      revision: Number(revision),
      setBy: setBy ?? '',
      setAt: Number(setAt),
      pinned: pinned !== undefined,
    }
  }

  async verify(id: string): Promise<void> {
    const [wrong] = (await findWrongTypes(this.#redis, keysOfProvider(this.#namespace, id))) ?? []
    if (wrong === undefined) return
    const { key, found, expected } = wrong
    throw unavailable(`the keys of ${id}`, new Error(`WRONGTYPE ${key} is a ${found}, not a ${expected}`), 0)
  }

  async history(id: string, count: number, sinceMs: number): Promise<readonly HistoryEntry[]> {
    if (count === 0) return []
    const range = ['+inf', sinceMs, 'WITHSCORES', 'LIMIT', 0, count]
    return parseHistory(await this.#redis.run('zrevrangebyscore', [this.#key(id, 'history'), ...range]))
  }

  async outages(id: string, count: number): Promise<readonly Outage[]> {
    if (count === 0) return []
    const range = ['+', '-', 'COUNT', count]
    return parseOutages(await this.#redis.run('xrevrange', [this.#key(id, 'outages'), ...range]))
  }

  async events(id: string, count: number): Promise<readonly ProviderEvent[]> {
    if (count === 0) return []
    return parseStream(
      id,
      await this.#redis.run('xrevrange', [this.#key(id, 'events'), '+', '-', 'COUNT', count]),
    )
  }

  #key(id: string, key: 'config' | 'history' | 'events' | 'outages'): string {
    return providerKey(this.#namespace, id, key)
  }
}
