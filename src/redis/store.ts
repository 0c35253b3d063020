import { randomUUID } from 'node:crypto'
import { flatFields, unflattenSettings, unknownSettings } from '../config/flat.js'
import type { FlatFields, FlatSettings, StoredSettings } from '../config/flat.js'
import { CommandLateError, RedisUnsupportedError, UnknownProviderError } from '../model/errors.js'
import type * as port from '../model/ports.js'
import type { Outage } from '../model/outage.js'
import type { ProviderEvent } from '../model/events.js'
import { SETTINGS_ABOUT } from '../model/setting-fields.js'
import type { Settings } from '../model/settings.js'
import type { HistoryEntry } from '../model/snapshot.js'
import { KEY_SCHEMA } from '../model/words.js'
import type { RedisConnection } from './connection.js'
import { unavailable } from './errors.js'
import { findWrongTypes, keysOfProvider } from './key-types.js'
import { changesChannel, fleetKeys, keyOfProvider, providerKey } from './keys.js'
import type { LuaSourceOptions } from './lua-source.js'
import {
  parseEvents,
  parseHash,
  parseHistory,
  parseOutages,
  parseSnapshot,
  parseStream,
  parseTime,
} from './parse.js'
import { ProviderIndex } from './provider-index.js'
import { Scripts, type ScriptReply } from './scripts.js'
import { PROVIDER_SCRIPTS } from './script-definitions.js'
import type { ProviderScriptName, ScriptArgs, ScriptReturns } from './script-definitions.js'

const WORKER_TTL_MS = 600_000
const TIME_SERVES_MS = 1_000

/** The store in Redis: every decision is made by a script, atomically, on Redis's clock. */
export class RedisStore implements port.Store {
  readonly #redis: RedisConnection
  readonly #scripts: Scripts<ProviderScriptName>
  readonly #namespace: string
  readonly #index: ProviderIndex
  readonly #keys: ReturnType<typeof fleetKeys>
  readonly #channel: string
  #epochAsked: Promise<string> | undefined
  #timeAsked: Promise<number> | undefined
  #timeRead: { readonly nowMs: number; readonly at: number } | undefined

  constructor(redis: RedisConnection, namespace: string, source?: LuaSourceOptions) {
    this.#redis = redis
    this.#namespace = namespace
    this.#index = new ProviderIndex(redis, namespace, () => this.#timeMs())
    this.#keys = fleetKeys(namespace)
    this.#channel = changesChannel(namespace, redis.database)
    this.#scripts = new Scripts(redis, PROVIDER_SCRIPTS, keyOfProvider(namespace), source)
  }

  /** @throws RedisUnsupportedError when the keys of the namespace are of another schema */
  async checkSchema(): Promise<void> {
    const schema: unknown = await this.#redis.run('hget', [this.#keys.meta, 'schema'])
    if (typeof schema !== 'string' || schema === KEY_SCHEMA) return
    throw new RedisUnsupportedError(
      `namespace ${this.#namespace}: its keys have schema ${schema}, and this version of Busbar reads schema ` +
        `${KEY_SCHEMA}; give it another namespace, or remove the keys of the old one`,
    )
  }

  async epoch(): Promise<string | null> {
    const epoch = await this.#redis.run('hget', [this.#keys.meta, 'epoch'])
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
      this.#redis.run('hsetnx', [this.#keys.meta, 'epoch', randomUUID()]),
      this.#redis.run('hsetnx', [this.#keys.meta, 'schema', KEY_SCHEMA]),
      this.epoch(),
    ])
    return epoch ?? this.#ensureEpoch()
  }

  /** The index first, so that a provider whose keys exist is always listed. */
  async register(id: string, request: port.RegisterRequest): Promise<port.KnownReply<port.SettingsReply>> {
    const { settings, mode, restore, unread = [], byHand, worker, knownVersion } = request
    const fields = flatFields(settings)
    const run = () =>
      this.#run('register', id, {
        worker,
        knownVersion,
        mode,
        // With `keep` they are written only where there is nothing: what was left unread then comes back as well.
        wanted: mode === 'keep' && unread.length > 0 ? { ...fields, ...asStored(unread) } : fields,
        restore: restore ?? {},
        operator: byHand?.operator ?? '',
        reason: byHand?.reason ?? '',
        notAfterMs: byHand?.notAfterMs ?? null,
      })
    const reply = await (mode === 'release' ? run() : this.#index.around(id, run))
    if (reply.status === 'late') throw new CommandLateError('register', id)
    const { known, returned } = this.#known('register', id, reply)
    return {
      ...known,
      ...(returned.settings === undefined
        ? { settings, unread: mode === 'keep' ? unread : [] }
        : inForce(parseHash(returned.settings), fields, settings)),
      revision: Number(returned.revision),
      setBy: returned.setBy,
      setAt: Number(returned.setAtMs),
      pinned: returned.pinned,
    }
  }

  async admit(id: string, request: port.AdmitRequest): Promise<port.Reply<port.AdmitResult>> {
    const reply = await this.#run('admit', id, request)
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#known('admit', id, reply)
    const { admitted, reason, retryAfterMs, trial } = returned
    // Written out: strict mode comes here at every call, and a spread costs microseconds.
    return {
      status: 'ok',
      nowMs: known.nowMs,
      applied: known.applied,
      snapshot: known.snapshot,
      events: known.events,
      admitted,
      // One of the codes of lua/lib/admission.lua, which the contract suite holds to the memory adapter's.
      code: returned.code === '' ? null : (returned.code as port.AdmitResult['code']),
      reason,
      retryAfterMs,
      trial,
      generation: Number(returned.generation),
      settingsRevision: Number(returned.settingsRevision),
      markVersion: Number(returned.markVersion),
    }
  }

  async record(id: string, request: port.RecordRequest): Promise<port.Reply<port.RecordResult>> {
    const reply = await this.#run('record', id, recordArgs(request))
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#known('record', id, reply)
    const { duplicate, late, dropped, waitMs, urgentShare } = returned
    return {
      status: 'ok',
      nowMs: known.nowMs,
      applied: known.applied,
      snapshot: known.snapshot,
      events: known.events,
      duplicate,
      late: Number(late),
      dropped: Number(dropped),
      waitMs: waitMs ?? request.flushIntervalMs,
      urgentShare: urgentShare ?? 1,
    }
  }

  async recordHeartbeat(id: string, request: port.HeartbeatRequest): Promise<port.Reply> {
    return this.#plain('heartbeat', id, await this.#run('heartbeat', id, request))
  }

  async overdue(id: string, request: port.OverdueRequest): Promise<port.Reply> {
    return this.#plain('overdue', id, await this.#run('overdue', id, request))
  }

  async reset(id: string, request: port.ControlRequest): Promise<port.Reply> {
    return this.#plain('reset', id, await this.#run('reset', id, request))
  }

  async trip(id: string, request: port.TripRequest): Promise<port.Reply> {
    return this.#plain('trip', id, await this.#run('trip', id, request))
  }

  async mark(id: string, request: port.MarkRequest): Promise<port.Reply> {
    return this.#plain('mark', id, await this.#run('mark', id, request))
  }

  async resume(id: string, request: port.ResumeRequest): Promise<port.Reply> {
    const { endedOnly = false } = request
    return this.#plain('resume', id, await this.#run('resume', id, { ...request, endedOnly }))
  }

  /** The script first, so that no keys are left behind under an id that nobody lists. */
  async remove(id: string, request: port.ControlRequest): Promise<port.Reply> {
    const reply = this.#plain('remove', id, await this.#run('remove', id, request))
    if (reply.status !== 'late') await this.#index.remove(id)
    return reply
  }

  async snapshot(id: string): Promise<port.Reply> {
    return this.#plain('snapshot', id, await this.#scripts.run('snapshot', id, { id }))
  }

  async settings(id: string): Promise<port.SettingsReply | null> {
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

  providers(): Promise<readonly port.ProviderSummary[]> {
    return this.#index.list()
  }

  async touchWorker(worker: string): Promise<void> {
    const now = await this.#timeMs()
    await this.#redis.run('zadd', [this.#keys.workers, now, worker])
    await this.#redis.run('zremrangebyscore', [this.#keys.workers, '-inf', now - WORKER_TTL_MS])
  }

  close(): Promise<void> {
    this.#redis.close()
    return Promise.resolve()
  }

  /** Redis's clock, for what no decision reads: one reading serves for a second, and for all who ask meanwhile. */
  async #timeMs(): Promise<number> {
    const now = performance.now()
    const read = this.#timeRead
    if (read !== undefined && now - read.at < TIME_SERVES_MS) return Math.floor(read.nowMs + now - read.at)
    this.#timeAsked ??= this.#readTime().finally(() => {
      this.#timeAsked = undefined
    })
    return this.#timeAsked
  }

  async #readTime(): Promise<number> {
    const nowMs = parseTime(await this.#redis.run('time', []))
    this.#timeRead = { nowMs, at: performance.now() }
    return nowMs
  }

  #key(id: string, key: 'config' | 'history' | 'events' | 'outages'): string {
    return providerKey(this.#namespace, id, key)
  }

  #run<N extends Exclude<ProviderScriptName, 'snapshot'>>(
    name: N,
    id: string,
    args: Omit<ScriptArgs<N>, 'id' | 'channel'>,
  ): Promise<ScriptReply<N>> {
    const rest = { id, channel: this.#channel }
    // Every script but `snapshot` takes both; the compiler cannot see that through the generic.
    return this.#scripts.run<N, 'id' | 'channel'>(name, id, args, rest)
  }

  #plain(name: ProviderScriptName, id: string, reply: ScriptReply<ProviderScriptName>): port.Reply {
    return reply.status === 'ok' ? this.#known(name, id, reply).known : reply
  }

  #known<N extends ProviderScriptName>(name: N, id: string, reply: ScriptReply<N>) {
    if (reply.status !== 'ok')
      throw new UnknownProviderError(`${id} (script ${name} answered ${reply.status})`)
    // Narrowed by the line above; the compiler loses that in the generic.
    const returned = reply as unknown as ScriptReturns<N>
    const known: port.KnownReply<unknown> = {
      status: 'ok',
      nowMs: Number(returned.nowMs),
      applied: Number(returned.applied),
      snapshot: parseSnapshot(returned.snapshot),
      events: parseEvents(id, returned.events),
    }
    return { known, returned }
  }
}

/** What was checked before it was sent needs no second look. */
function inForce(stored: FlatSettings, sent: FlatFields, settings: Settings): StoredSettings {
  const same = Object.entries(sent).every(([path, text]) => (stored[path] ?? null) === text)
  return same ? { settings, unread: unknownSettings(stored) } : unflattenSettings(stored)
}

const asStored = (unread: readonly port.UnreadSetting[]): FlatSettings =>
  Object.fromEntries(unread.map(({ path, stored }) => [path, stored]))

const recordArgs = (request: port.RecordRequest) => ({
  worker: request.worker,
  knownVersion: request.knownVersion,
  incarnation: request.incarnation,
  sequence: request.sequence,
  resent: request.resent,
  jitterDraw: request.jitterDraw,
  flushIntervalMs: request.flushIntervalMs,
  maxBatchesPerSecond: request.maxBatchesPerSecond,
  notAfterMs: request.notAfterMs,
  lostMsAgo: request.lostMsAgo,
  runs: request.runs.map(encodeRun),
})

/** The plain outcome of a call needs the first four. A generation is only compared, mostly: as text it costs Redis less. */
const encodeRun = (run: port.Run): unknown[] => {
  const fields = [
    run.origin,
    run.outcome,
    run.count,
    String(run.generation),
    run.token,
    run.retryAfterMs,
    run.settingsRevision,
    run.markVersion,
    run.detail,
    run.ageMs,
  ]
  while (fields.at(-1) === '' || fields.at(-1) === 0) fields.pop()
  return fields
}
