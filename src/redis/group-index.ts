import type { RedisConnection } from './connection.js'
import { groupKey, providerKey } from './keys.js'

/**
 * The lists of members, one key a group, in other slots than the providers' keys, so that no script can write both. The
 * setting `group` of a provider decides; the list only says where to look. A provider is listed before its settings are
 * written, and once more after: a member is always listed. The price is an id that is no member, where a provider changed
 * its group or a process died between the two steps; the next read takes it out.
 *
 * A provider without a group costs nothing here.
 */
export class GroupIndex {
  readonly #redis: RedisConnection
  readonly #namespace: string
  readonly #nowMs: () => Promise<number>

  /** `nowMs`: Redis's clock, by which members are listed and nothing is decided. */
  constructor(redis: RedisConnection, namespace: string, nowMs: () => Promise<number>) {
    this.#redis = redis
    this.#namespace = namespace
    this.#nowMs = nowMs
  }

  /** Ids of the members, in the order in which they joined. O(members). */
  async members(group: string): Promise<readonly string[]> {
    const reply = await this.#redis.run('zrange', [groupKey(this.#namespace, group), 0, -1])
    const listed = (Array.isArray(reply) ? reply : []).map(String)
    const groups = await Promise.all(listed.map((id) => this.groupOf(id)))
    const gone = listed.filter((_, at) => groups[at] !== group)
    await Promise.all(gone.map((id) => this.leave(group, id)))
    return listed.filter((_, at) => groups[at] === group)
  }

  /** The group that the settings of a provider name; null where they name none. */
  async groupOf(id: string): Promise<string | null> {
    const stored = await this.#redis.run('hget', [providerKey(this.#namespace, id, 'config'), 'group'])
    return typeof stored === 'string' ? stored : null
  }

  async join(group: string, id: string): Promise<void> {
    await this.#redis.run('zadd', [groupKey(this.#namespace, group), 'NX', await this.#nowMs(), id])
  }

  /** Another process may register the provider meanwhile: it found the id listed, so it must be listed again. */
  async leave(group: string, id: string): Promise<void> {
    await this.#redis.run('zrem', [groupKey(this.#namespace, group), id])
    if ((await this.groupOf(id)) === group) await this.join(group, id)
  }
}
