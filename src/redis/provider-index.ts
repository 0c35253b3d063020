import { redisFailure } from '../model/errors.js'
import type { ProviderSummary } from '../model/ports.js'
import type { RedisConnection } from './connection.js'
import { fleetKeys, providerKey } from './keys.js'
import { parseScores } from './parse.js'

/**
 * The list of providers, a key of its own in another slot than theirs, so that no script can write both. It is written
 * before a provider's keys and after their removal: a provider that exists is always listed. The price is an id without
 * keys where a process dies between the two steps. Every reader takes such an id for a provider that is not there.
 */
export class ProviderIndex {
  readonly #redis: RedisConnection
  readonly #namespace: string
  readonly #key: string
  readonly #nowMs: () => Promise<number>

  /** `nowMs`: Redis's clock, by which providers are listed and nothing is decided. */
  constructor(redis: RedisConnection, namespace: string, nowMs: () => Promise<number>) {
    this.#redis = redis
    this.#namespace = namespace
    this.#nowMs = nowMs
    this.#key = fleetKeys(namespace).providers
  }

  /** The oldest first. */
  async list(): Promise<readonly ProviderSummary[]> {
    const scores = parseScores(await this.#redis.run('zrange', [this.#key, 0, -1, 'WITHSCORES']))
    return [...scores].map(([id, registeredAt]) => ({ id, registeredAt }))
  }

  /** Lists `id` while `register` makes its keys; takes it out again if it was not listed before and nothing was done. */
  async around<T extends { readonly status: string }>(id: string, register: () => Promise<T>): Promise<T> {
    const added = (await this.#add(id)) === 1
    try {
      const reply = await register()
      if (added && reply.status === 'late') await this.#undo(id)
      return reply
    } catch (error) {
      // Without an answer the script may have run, or may run yet. The first error is the one that counts.
      if (added && isAnswered(error)) await this.#undo(id).catch(() => undefined)
      throw error
    }
  }

  async remove(id: string): Promise<void> {
    await this.#redis.run('zrem', [this.#key, id])
  }

  async #add(id: string): Promise<unknown> {
    return this.#redis.run('zadd', [this.#key, 'NX', await this.#nowMs(), id])
  }

  /** Another process may register the provider meanwhile: it found the id listed, so it must be listed again. */
  async #undo(id: string): Promise<void> {
    if (await this.#exists(id)) return
    await this.remove(id)
    if (await this.#exists(id)) await this.#add(id)
  }

  /** A key of another type, which somebody else keeps under this name, makes no provider. */
  async #exists(id: string): Promise<boolean> {
    try {
      const config = providerKey(this.#namespace, id, 'config')
      return (await this.#redis.run('hexists', [config, 'revision'])) === 1
    } catch (error) {
      if (isAnswered(error)) return false
      throw error
    }
  }
}

/** Whether Redis answered, with an error: then a script that was asked for did not end, and will not run later. */
function isAnswered(error: unknown): boolean {
  const failure = redisFailure(error)
  return failure !== undefined && failure !== 'unanswered'
}
