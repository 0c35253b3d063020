import type * as port from '../model/ports.js'
import type { RedisConnection } from './connection.js'
import { shardOf, shardPrefixes } from './hash-slot.js'
import { keyOfShard, queueMetaKey, queueOfShard } from './keys.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseHash, parseScores, parseTime } from './parse.js'
import { SCHEDULE_SCRIPTS, type ScheduleScriptName } from './script-definitions.js'
import { Scripts, type ScriptReply } from './scripts.js'

/** The schedule of probes in Redis: a sorted set of what is due, in each shard; scripts hand it out. */
export class RedisSchedule implements port.Schedule {
  readonly #redis: RedisConnection
  readonly #scripts: Scripts<ScheduleScriptName>
  readonly prefixes: readonly string[]

  constructor(
    redis: RedisConnection,
    { namespace, shards }: { readonly namespace: string; readonly shards: number },
    source?: LuaSourceOptions,
  ) {
    this.#redis = redis
    this.prefixes = shardPrefixes(namespace, shards)
    this.#scripts = new Scripts(redis, SCHEDULE_SCRIPTS, keyOfShard, source)
  }

  shardOf(id: string): number {
    return shardOf(id, this.prefixes.length)
  }

  async plan(id: string, { intervalMs, sinceMs }: Parameters<port.Schedule['plan']>[1]): Promise<boolean> {
    const args = { id, intervalMs, spread: spreadOf(id), sinceMs }
    return changed(await this.#scripts.run('schedule', this.#prefixOf(id), args))
  }

  async drop(id: string): Promise<boolean> {
    return changed(await this.#scripts.run('unschedule', this.#prefixOf(id), { id }))
  }

  async hasten(id: string, { inMs, gapMs }: Parameters<port.Schedule['hasten']>[1]): Promise<boolean> {
    return changed(await this.#scripts.run('hasten', this.#prefixOf(id), { id, inMs, gapMs }))
  }

  async claim(shard: number, options: Parameters<port.Schedule['claim']>[1]): Promise<port.Claims> {
    const reply = await this.#scripts.run('claim', this.prefixes[shard] ?? '', options)
    if (reply.status !== 'ok' || !reply.idle) return { idle: false, claimed: [], nextInMs: null }
    // As lua/claim.lua writes it.
    const claimed = reply.claimed as readonly (readonly [string, number])[]
    return {
      idle: true,
      claimed: claimed.map(([id, intervalMs]) => ({ id, intervalMs })),
      nextInMs: reply.nextInMs,
    }
  }

  async list(): Promise<readonly port.Planned[]> {
    return (await Promise.all(this.prefixes.map((prefix) => this.#listShard(prefix)))).flat()
  }

  async pausedQueues(): Promise<readonly string[]> {
    const read = (prefix: string) => this.#redis.run('hget', [queueMetaKey(prefix), 'paused'])
    const paused = await Promise.all(this.prefixes.map(read))
    return this.prefixes.filter((_, shard) => typeof paused[shard] === 'string').map(queueOfShard)
  }

  async #listShard(prefix: string): Promise<port.Planned[]> {
    const [paces, due, offset, time] = await Promise.all([
      this.#redis.run('hgetall', [keyOfShard(prefix, 'paces')]),
      this.#redis.run('zrange', [keyOfShard(prefix, 'due'), 0, -1, 'WITHSCORES']),
      this.#redis.run('hget', [keyOfShard(prefix, 'rounds'), 'clock_offset_ms']),
      this.#redis.run('time', []),
    ])
    const nowMs = parseTime(time) + Number(offset ?? 0)
    const dueAt = parseScores(due)
    return Object.entries(parseHash(paces)).map(([id, pace]) => ({
      id,
      intervalMs: Number(pace.split(':')[0]),
      lateMs: Math.max(0, nowMs - (dueAt.get(id) ?? nowMs)),
    }))
  }

  #prefixOf(id: string): string {
    return this.prefixes[this.shardOf(id)] ?? ''
  }
}

const changed = (reply: ScriptReply<'schedule' | 'unschedule' | 'hasten'>): boolean =>
  reply.status === 'ok' && reply.changed

/**
 * Where in its interval a provider's probes fall: the same in every process, spread over providers, so that a fleet of
 * providers is not probed in one burst. FNV-1a, 32 bits.
 */
function spreadOf(id: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}
