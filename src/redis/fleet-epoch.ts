import { randomUUID } from 'node:crypto'
import { RedisUnsupportedError } from '../model/errors.js'
import { KEY_SCHEMA } from '../model/words.js'
import type { RedisConnection } from './connection.js'
import { fleetKeys } from './keys.js'

/** The life of a namespace: its epoch, which is another after a wipe, and the schema of its keys. */
export class FleetEpoch {
  readonly #redis: RedisConnection
  readonly #namespace: string
  readonly #meta: string
  #epochAsked: Promise<string> | undefined

  constructor(redis: RedisConnection, namespace: string) {
    this.#redis = redis
    this.#namespace = namespace
    this.#meta = fleetKeys(namespace).meta
  }

  /** @throws RedisUnsupportedError when the keys of the namespace are of another schema */
  async checkSchema(): Promise<void> {
    const schema: unknown = await this.#redis.run('hget', [this.#meta, 'schema'])
    if (typeof schema !== 'string' || schema === KEY_SCHEMA) return
    throw new RedisUnsupportedError(
      `namespace ${this.#namespace}: its keys have schema ${schema}, and this version of Busbar reads schema ` +
        `${KEY_SCHEMA}; give it another namespace, or remove the keys of the old one`,
    )
  }

  async epoch(): Promise<string | null> {
    const epoch = await this.#redis.run('hget', [this.#meta, 'epoch'])
    return typeof epoch === 'string' ? epoch : null
  }

  /** Those who ask while it is being asked share the answer: a process may register thousands at once. */
  ensureEpoch(): Promise<string> {
    this.#epochAsked ??= this.#ensureEpoch().finally(() => {
      this.#epochAsked = undefined
    })
    return this.#epochAsked
  }

  async #ensureEpoch(): Promise<string> {
    // One key, so they run in this order, in one round trip.
    const [, , epoch] = await Promise.all([
      this.#redis.run('hsetnx', [this.#meta, 'epoch', randomUUID()]),
      this.#redis.run('hsetnx', [this.#meta, 'schema', KEY_SCHEMA]),
      this.epoch(),
    ])
    return epoch ?? this.#ensureEpoch()
  }
}
