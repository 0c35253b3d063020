import type * as port from '../model/ports/schedule.js'
import type { RedisConnection } from './connection.js'
import { shardOf, shardPrefixes } from './hash-slot.js'
import {
  keyOfShard,
  namesPrefix,
  queueKey,
  queueName,
  queueOfShard,
  scheduleKey,
  NAMED_QUEUES_KEY,
} from './keys.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseHash, parseScores, parseTime } from './parse.js'
import { SCHEDULE_SCRIPTS, type ScheduleScriptName } from './script-definitions.js'
import { Scripts, type ScriptReply } from './scripts.js'

/** The schedule of probes in Redis: a sorted set of what is due, in each shard; scripts hand it out. */
export class RedisSchedule implements port.Schedule {
  readonly #redis: RedisConnection
  readonly #scripts: Scripts<ScheduleScriptName>
  readonly prefixes: readonly string[]
  readonly namesPrefix: string
  readonly queueName = queueName

  constructor(
    redis: RedisConnection,
    { namespace, shards }: { readonly namespace: string; readonly shards: number },
    source?: LuaSourceOptions,
  ) {
    this.#redis = redis
    this.prefixes = shardPrefixes(namespace, shards)
    this.namesPrefix = namesPrefix(namespace)
    this.#scripts = new Scripts(redis, SCHEDULE_SCRIPTS, scheduleKey, source)
  }

  shardOf(id: string): number {
    return shardOf(id, this.prefixes.length)
  }

  async plan(id: string, plan: port.ProbePlan): Promise<boolean> {
    const args = { id, spread: spreadOf(id), ...plan }
    return changed(await this.#scripts.run('schedule', this.#prefixOf(id), args))
  }

  async drop(id: string): Promise<boolean> {
    return changed(await this.#scripts.run('unschedule', this.#prefixOf(id), { id }))
  }

  async bringForward(
    id: string,
    { inMs, gapMs }: Parameters<port.Schedule['bringForward']>[1],
  ): Promise<boolean> {
    return changed(await this.#scripts.run('bring_forward', this.#prefixOf(id), { id, inMs, gapMs }))
  }

  async claim(shard: number, request: port.ClaimRequest): Promise<port.Claims> {
    const reply = await this.#scripts.run('claim', this.prefixes[shard] ?? '', request)
    const atMs = reply.nowMs ?? 0
    if (reply.status !== 'ok' || !reply.planner)
      return { planner: false, check: false, atMs, claimed: [], nextInMs: null }
    // As lua/claim.lua writes it.
    const claimed = reply.claimed as readonly (readonly [string, number, string, port.ProbeReason])[]
    return {
      planner: true,
      check: reply.check,
      atMs,
      claimed: claimed.map(([id, intervalMs, needs, why]) => ({ id, intervalMs, needs, why })),
      nextInMs: reply.nextInMs,
    }
  }

  async list(): Promise<readonly port.Planned[]> {
    return (await Promise.all(this.prefixes.map((prefix) => this.#listShard(prefix)))).flat()
  }

  async serve(all: readonly string[]): Promise<void> {
    if (all.length === 0) return
    const key = this.#namedQueuesKey
    const nowMs = parseTime(await this.#redis.run('time', []))
    await this.#redis.run('zadd', [key, ...all.flatMap((needs) => [nowMs, needs])])
    await this.#redis.run('zremrangebyscore', [key, '-inf', nowMs - REMEMBERED_MS])
  }

  async queueOf(needs: string): Promise<port.ProbeQueueState> {
    const [queue, seen, time] = await Promise.all([
      this.#stateOf(this.#queueOfNeeds(needs), needs),
      this.#redis.run('zscore', [this.#namedQueuesKey, needs]),
      this.#redis.run('time', []),
    ])
    return { ...queue, hasWorker: isServed(Number(seen ?? 0), parseTime(time)) }
  }

  queueFor(id: string, needs: string): Promise<port.ProbeQueueState> {
    return needs === '' ? this.#shardState(this.#prefixOf(id)) : this.queueOf(needs)
  }

  async queues(): Promise<readonly port.ProbeQueueState[]> {
    const [seen, time] = await Promise.all([
      this.#redis.run('zrange', [this.#namedQueuesKey, 0, -1, 'WITHSCORES']),
      this.#redis.run('time', []),
    ])
    const nowMs = parseTime(time)
    const ofShards = this.prefixes.map((prefix) => this.#shardState(prefix))
    const ofNames = [...parseScores(seen)].map(async ([needs, seenMs]) => ({
      ...(await this.#stateOf(this.#queueOfNeeds(needs), needs)),
      hasWorker: isServed(seenMs, nowMs),
    }))
    return Promise.all([...ofShards, ...ofNames])
  }

  async pausedQueues(): Promise<readonly string[]> {
    const seen = parseScores(await this.#redis.run('zrange', [this.#namedQueuesKey, 0, -1, 'WITHSCORES']))
    const queues = [
      ...this.prefixes.map(queueOfShard),
      ...[...seen.keys()].map((needs) => this.#queueOfNeeds(needs)),
    ]
    const paused = await Promise.all(queues.map((queue) => this.#isPaused(queue)))
    return queues.filter((_, index) => paused[index])
  }

  async #isPaused(queue: string): Promise<boolean> {
    return Number(await this.#redis.run('hexists', [queueKey(queue, 'meta'), 'paused'])) === 1
  }

  get #namedQueuesKey(): string {
    return keyOfShard(this.namesPrefix, NAMED_QUEUES_KEY)
  }

  /** By the name of its keys. */
  #queueOfNeeds(needs: string): string {
    return keyOfShard(this.namesPrefix, queueName(needs))
  }

  /** Where a process runs probes, one of them is the planner; while the queue is paused none is. */
  async #shardState(prefix: string): Promise<port.ProbeQueueState> {
    const [queue, schedule, time] = await Promise.all([
      this.#stateOf(queueOfShard(prefix), ''),
      this.#redis.run('hmget', [keyOfShard(prefix, 'schedule'), 'claimed_at_ms', 'clock_offset_ms']),
      this.#redis.run('time', []),
    ])
    const [claimedAtMs, offsetMs] = (schedule as readonly (string | null)[]).map(Number) // null is 0
    const nowMs = parseTime(time) + (offsetMs ?? 0)
    return { ...queue, hasWorker: queue.paused ? null : nowMs - (claimedAtMs ?? 0) <= PLANNED_MS }
  }

  /** Jobs of a queue that is paused may lie in either of two lists. */
  async #stateOf(queue: string, needs: string): Promise<port.ProbeQueueState> {
    const length = (key: string) => this.#redis.run('llen', [queueKey(queue, key)])
    const [waiting, held, active, paused] = await Promise.all([
      length('wait'),
      length('paused'),
      length('active'),
      this.#isPaused(queue),
    ])
    return {
      queue,
      needs,
      waiting: Number(waiting) + Number(held),
      active: Number(active),
      paused,
      hasWorker: null,
    }
  }

  async #listShard(prefix: string): Promise<port.Planned[]> {
    const scores = (key: string) => this.#redis.run('zrange', [keyOfShard(prefix, key), 0, -1, 'WITHSCORES'])
    const [intervals, due, oneOffs, offset, time] = await Promise.all([
      this.#redis.run('hgetall', [keyOfShard(prefix, 'intervals')]),
      scores('due'),
      scores('one_offs'),
      this.#redis.run('hget', [keyOfShard(prefix, 'schedule'), 'clock_offset_ms']),
      this.#redis.run('time', []),
    ])
    const nowMs = parseTime(time) + Number(offset ?? 0)
    const [turns, planned] = [parseScores(due), parseScores(oneOffs)]
    return Object.entries(parseHash(intervals)).map(([id, interval]) => {
      const [, intervalMs, needs = ''] = INTERVAL.exec(interval) ?? []
      const nexts = [
        { why: 'recovery' as const, at: planned.get(`recovery:${id}`) ?? Infinity },
        { why: 'early' as const, at: planned.get(`early:${id}`) ?? Infinity },
        { why: 'scheduled' as const, at: turns.get(id) ?? nowMs },
      ]
      const { why, at } = nexts.reduce((first, other) => (other.at < first.at ? other : first))
      const queue = needs === '' ? queueOfShard(prefix) : this.#queueOfNeeds(needs)
      return {
        id,
        intervalMs: Number(intervalMs),
        lateMs: Math.max(0, nowMs - at),
        nextInMs: Math.max(0, at - nowMs),
        why,
        queue,
        needs,
      }
    })
  }

  #prefixOf(id: string): string {
    return this.prefixes[this.shardOf(id)] ?? ''
  }
}

/** As lua/lib/schedule.lua writes it. */
const INTERVAL = /^(\d+):\d+:(.*)$/

/** A worker says twice in this time that it takes from a queue; one that has not is gone, ms. */
const SERVED_MS = 10_000
/** A planner asks four times a second for what is due, and another takes over after one: without either there is none, ms. */
const PLANNED_MS = 5_000
/** Queues without a worker are looked at for so long, ms. */
const REMEMBERED_MS = 86_400_000

const isServed = (seenMs: number, nowMs: number): boolean => nowMs - seenMs <= SERVED_MS

const changed = (reply: ScriptReply<'schedule' | 'unschedule' | 'bring_forward'>): boolean =>
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
