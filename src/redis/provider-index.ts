import { redisFailure } from '../model/errors.js'
import type { ProviderSummary } from '../model/ports/store-replies.js'
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
  readonly #waiting: {
    readonly id: string
    readonly resolve: (added: boolean) => void
    readonly reject: (error: unknown) => void
  }[] = []
  #listing = false

  /** `nowMs`: Redis's clock, by which providers are listed and nothing is decided. */
  constructor(redis: RedisConnection, namespace: string, nowMs: () => Promise<number>) {
    this.#redis = redis
    this.#namespace = namespace
    this.#nowMs = nowMs
    this.#key = fleetKeys(namespace).providers
  }

  /** The oldest first, a page at a time: all of a hundred thousand at once would take longer than a command may. */
  async list(): Promise<readonly ProviderSummary[]> {
    const found = new Map<string, number>()
    let [from, passed] = [-Infinity, 0]
    for (;;) {
      const page = await this.#page(from, passed)
      let last = from
      for (const [id, at] of page) {
        found.set(id, at)
        passed = at === last ? passed + 1 : 1
        last = at
      }
      if (page.size < LISTED_A_PAGE) return [...found].map(([id, registeredAt]) => ({ id, registeredAt }))
      from = last
    }
  }

  /** From this time on, without the first `passed` of those that were registered then. */
  async #page(from: number, passed: number): Promise<ReadonlyMap<string, number>> {
    const since = from === -Infinity ? '-inf' : from
    const args = [this.#key, since, '+inf', 'BYSCORE', 'LIMIT', passed, LISTED_A_PAGE, 'WITHSCORES']
    return parseScores(await this.#redis.run('zrange', args))
  }

  /** Lists `id` while `register` makes its keys; takes it out again if it was not listed before and nothing was done. */
  async around<T extends { readonly status: string }>(id: string, register: () => Promise<T>): Promise<T> {
    const added = await this.#add(id)
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

  /** Whether it was not listed before. Those that ask while others are being listed go together: there may be thousands. */
  #add(id: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject })
      if (!this.#listing) void this.#listAll()
    })
  }

  async #listAll(): Promise<void> {
    this.#listing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LISTED_AT_ONCE)
      try {
        const added = await this.#addAll(batch.map(({ id }) => id))
        for (const { id, resolve } of batch) resolve(added.has(id))
      } catch (error) {
        // Those that wait would fare alike, one time limit after another.
        for (const { reject } of [...batch, ...this.#waiting.splice(0)]) reject(error)
      }
    }
    this.#listing = false
  }

  /** Answers those that were not listed before. */
  async #addAll(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const now = await this.#nowMs()
    const [scores] = await Promise.all([
      this.#redis.run('zmscore', [this.#key, ...ids]),
      this.#redis.run('zadd', [this.#key, 'NX', ...ids.flatMap((id) => [now, id])]),
    ])
    const before: readonly unknown[] = Array.isArray(scores) ? scores : []
    return new Set(ids.filter((_, i) => before[i] === null))
  }

  /** Another process may register the provider meanwhile: it found the id listed, so it must be listed again. */
  async #undo(id: string): Promise<void> {
    if (await this.#exists(id)) return
    await this.remove(id)
    if (await this.#exists(id)) await this.#addAll([id])
  }

  /** A key of another type, which another program keeps under this name, makes no provider. */
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

const LISTED_A_PAGE = 5_000
/** More would hold up the loop of the process that waits for them. */
const LISTED_AT_ONCE = 128

/** Whether Redis answered, with an error: then a script that was asked for did not end, and will not run later. */
function isAnswered(error: unknown): boolean {
  const failure = redisFailure(error)
  return failure !== undefined && failure !== 'unanswered'
}
