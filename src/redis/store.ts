import { flatFields } from '../config/flat.js'
import { CommandLateError, UnknownProviderError } from '../model/errors.js'
import type * as port from '../model/ports/store.js'
import type { Outage } from '../model/outage.js'
import type { ProviderEvent } from '../model/events.js'
import type { HistoryEntry } from '../model/snapshot.js'
import type { RedisConnection } from './connection.js'
import { FleetEpoch } from './fleet-epoch.js'
import { changesChannel, fleetKeys, keyOfProvider } from './keys.js'
import { IdleIndex } from './idle-index.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseEvents, parseSnapshot } from './parse.js'
import { ProviderIndex } from './provider-index.js'
import { ProviderReader } from './provider-reader.js'
import { Scripts, type ScriptReply } from './scripts.js'
import { PROVIDER_SCRIPTS } from './script-definitions.js'
import type { ProviderScriptName, ScriptArgs, ScriptReturns } from './script-definitions.js'
import { ServerClock } from './server-clock.js'
import { asStored, recordArgs, registered } from './store-args.js'

const WORKER_TTL_MS = 600_000

/** The store in Redis: every decision is made by a script, atomically, on Redis's clock. */
export class RedisStore implements port.Store {
  readonly #redis: RedisConnection
  readonly #scripts: Scripts<ProviderScriptName>
  readonly #index: ProviderIndex
  readonly #idle: IdleIndex
  readonly #reader: ProviderReader
  readonly #epoch: FleetEpoch
  readonly #clock: ServerClock
  readonly #keys: ReturnType<typeof fleetKeys>
  readonly #channel: string

  constructor(redis: RedisConnection, namespace: string, source?: LuaSourceOptions) {
    this.#redis = redis
    this.#clock = new ServerClock(redis)
    this.#index = new ProviderIndex(redis, namespace, () => this.#clock.nowMs())
    this.#idle = new IdleIndex(redis, namespace, () => this.#clock.nowMs())
    this.#reader = new ProviderReader(redis, namespace)
    this.#epoch = new FleetEpoch(redis, namespace)
    this.#keys = fleetKeys(namespace)
    this.#channel = changesChannel(namespace, redis.database)
    this.#scripts = new Scripts(redis, PROVIDER_SCRIPTS, keyOfProvider(namespace), source)
  }

  /** @throws RedisUnsupportedError when the keys of the namespace are of another schema */
  checkSchema(): Promise<void> {
    return this.#epoch.checkSchema()
  }

  epoch(): Promise<string | null> {
    return this.#epoch.epoch()
  }

  ensureEpoch(): Promise<string> {
    return this.#epoch.ensureEpoch()
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
    return registered(known, returned, request)
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

  /** The script first, so that no keys are left behind under an id that is not listed. */
  async remove(id: string, request: port.ControlRequest): Promise<port.Reply> {
    const reply = this.#plain('remove', id, await this.#run('remove', id, request))
    if (reply.status !== 'late') await this.#index.remove(id)
    return reply
  }

  /** The script first: an entry of the index without it would be looked at in vain. */
  async touch(id: string, request: port.TouchRequest): Promise<port.Reply> {
    const reply = await this.#run('touch', id, request)
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#known('touch', id, reply)
    if (returned.idleAtMs !== null) await this.#idle.set(id, returned.idleAtMs)
    return known
  }

  /** The script first, as with `remove`. */
  async expire(id: string, request: port.Caller): Promise<port.Reply<{ readonly expired: boolean }>> {
    const reply = await this.#run('expire', id, request)
    if (reply.status !== 'ok') {
      await this.#idle.set(id, null)
      return reply
    }
    const { known, returned } = this.#known('expire', id, reply)
    if (returned.expired) await this.#index.remove(id)
    await this.#idle.set(id, returned.idleAtMs)
    return { ...known, expired: returned.expired }
  }

  idleProviders(count: number): Promise<readonly string[]> {
    return this.#idle.list(count)
  }

  async snapshot(id: string): Promise<port.Reply> {
    return this.#plain('snapshot', id, await this.#scripts.run('snapshot', id, { id }))
  }

  settings(id: string): Promise<port.SettingsReply | null> {
    return this.#reader.settings(id)
  }

  verify(id: string): Promise<void> {
    return this.#reader.verify(id)
  }

  history(id: string, count: number, sinceMs: number): Promise<readonly HistoryEntry[]> {
    return this.#reader.history(id, count, sinceMs)
  }

  outages(id: string, count: number): Promise<readonly Outage[]> {
    return this.#reader.outages(id, count)
  }

  events(id: string, count: number): Promise<readonly ProviderEvent[]> {
    return this.#reader.events(id, count)
  }

  providers(): Promise<readonly port.ProviderSummary[]> {
    return this.#index.list()
  }

  async touchWorker(worker: string): Promise<void> {
    const now = await this.#clock.nowMs()
    await this.#redis.run('zadd', [this.#keys.workers, now, worker])
    await this.#redis.run('zremrangebyscore', [this.#keys.workers, '-inf', now - WORKER_TTL_MS])
  }

  close(): Promise<void> {
    this.#redis.close()
    return Promise.resolve()
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
