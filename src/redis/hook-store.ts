import type * as port from '../model/ports/hook-store.js'
import type { RedisConnection } from './connection.js'
import { hookKey, hookQueueName, namesPrefix, providerKey } from './keys.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseEntries, parseHash, parseTime } from './parse.js'
import { HOOK_SCRIPTS, type HookScriptName } from './script-definitions.js'
import { Scripts, type ScriptReply } from './scripts.js'

/**
 * The hooks of the alerts in Redis. The streams of the providers say what happened; a cursor for each of them says how far
 * a hook has come. Cursors go by the ids of entries, which Redis makes: no clock of a process matters.
 */
export class RedisHookStore implements port.HookStore {
  readonly #redis: RedisConnection
  readonly #namespace: string
  readonly #keyOf: (hook: string, key: string) => string
  readonly #scripts: Scripts<HookScriptName>
  readonly prefix: string
  readonly queueName = hookQueueName

  constructor(redis: RedisConnection, namespace: string, source?: LuaSourceOptions) {
    this.#redis = redis
    this.#namespace = namespace
    this.#keyOf = hookKey(namespace)
    this.prefix = namesPrefix(namespace)
    this.#scripts = new Scripts(redis, HOOK_SCRIPTS, this.#keyOf, source)
  }

  async read(hook: string): Promise<port.HookState> {
    const key = this.#keyOf(hook, 'hook')
    const nowMs = parseTime(await this.#redis.run('time', []))
    await this.#redis.run('hsetnx', [key, 'since_ms', nowMs])
    const fields = await this.#redis.run('hmget', [key, 'since_ms', 'revision', 'delivery', 'body', 'behind'])
    const [sinceMs, revision, delivery, body, behind] = fields as readonly (string | null)[] // as HMGET answers
    return {
      sinceMs: Number(sinceMs),
      nowMs,
      revision: Number(revision ?? 0),
      staged: delivery == null ? undefined : { delivery, body: body ?? '' },
      behind: behind != null,
    }
  }

  async eventsAfter(hook: string, provider: string, sinceMs: number): Promise<readonly port.StreamEntry[]> {
    const cursor = await this.#redis.run('hget', [this.#keyOf(hook, 'hook_cursors'), provider])
    const from = typeof cursor === 'string' && Number(cursor.split('-')[0]) >= sinceMs ? cursor : `${sinceMs}`
    const stream = providerKey(this.#namespace, provider, 'events')
    return parseEntries(provider, await this.#redis.run('xrevrange', [stream, '+', `(${from}`]))
  }

  async stage(
    hook: string,
    revision: number,
    { delivery, body }: port.StagedMessage,
    cursors: Readonly<Record<string, string>>,
  ): Promise<port.Staging> {
    const reply = done(await this.#scripts.run('stage_message', hook, { revision, delivery, body, cursors }))
    return reply.outcome === 'staged' || reply.outcome === 'busy' ? reply.outcome : 'outdated'
  }

  async settle(hook: string, delivery: string): Promise<boolean> {
    return done(await this.#scripts.run('settle_message', hook, { delivery })).behind
  }

  async beginSweep(hook: string): Promise<void> {
    await this.#redis.run('hdel', [this.#keyOf(hook, 'hook'), 'behind'])
  }

  async cursors(hook: string): Promise<readonly string[]> {
    return Object.keys(parseHash(await this.#redis.run('hgetall', [this.#keyOf(hook, 'hook_cursors')])))
  }

  async keepCursors(hook: string, known: readonly string[], providers: ReadonlySet<string>): Promise<void> {
    const gone = known.filter((id) => !providers.has(id))
    for (let from = 0; from < gone.length; from += AT_ONCE)
      await this.#redis.run('hdel', [this.#keyOf(hook, 'hook_cursors'), ...gone.slice(from, from + AT_ONCE)])
  }
}

/** Arguments of one command. */
const AT_ONCE = 500

function done<N extends HookScriptName>(reply: ScriptReply<N>): Extract<ScriptReply<N>, { status: 'ok' }> {
  // These scripts know no other status.
  return reply as Extract<ScriptReply<N>, { status: 'ok' }>
}
