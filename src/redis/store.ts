import { flatFields } from '../config/flat.js'
import { CommandLateError } from '../model/errors.js'
import type * as port from '../model/ports/store.js'
import type { Outage } from '../model/outage.js'
import type { ProviderEvent } from '../model/events.js'
import type { HistoryEntry } from '../model/snapshot.js'
import type { RedisConnection } from './connection.js'
import { FleetEpoch } from './fleet-epoch.js'
import { GroupIndex } from './group-index.js'
import { IdleIndex } from './idle-index.js'
import type { LuaSourceOptions } from './lua-source.js'
import { parseTallies } from './parse.js'
import { ProviderIndex } from './provider-index.js'
import { ProviderReader } from './provider-reader.js'
import { ProviderScripts } from './provider-scripts.js'
import { ServerClock } from './server-clock.js'
import { admitArgs, asStored, recordArgs, registered } from './store-args.js'
import { WorkerIndex } from './worker-index.js'

/** The store in Redis: every decision is made by a script, atomically, on Redis's clock. */
export class RedisStore implements port.Store {
  readonly #redis: RedisConnection
  readonly #scripts: ProviderScripts
  readonly #index: ProviderIndex
  readonly #groups: GroupIndex
  readonly #idle: IdleIndex
  readonly #reader: ProviderReader
  readonly #epoch: FleetEpoch
  readonly #clock: ServerClock
  readonly #workers: WorkerIndex

  constructor(redis: RedisConnection, namespace: string, source?: LuaSourceOptions) {
    this.#redis = redis
    this.#clock = new ServerClock(redis)
    this.#index = new ProviderIndex(redis, namespace, () => this.#clock.nowMs())
    this.#groups = new GroupIndex(redis, namespace, () => this.#clock.nowMs())
    this.#idle = new IdleIndex(redis, namespace, () => this.#clock.nowMs())
    this.#reader = new ProviderReader(redis, namespace)
    this.#epoch = new FleetEpoch(redis, namespace)
    this.#scripts = new ProviderScripts(redis, namespace, source)
    this.#workers = new WorkerIndex(redis, namespace, () => this.#clock.nowMs())
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
    if (settings.group !== undefined && mode !== 'release') await this.#groups.join(settings.group, id)
    const run = () =>
      this.#scripts.run('register', id, {
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
    const { known, returned } = this.#scripts.known('register', id, reply)
    const stored = registered(known, returned, request)
    // Once more: a reader that saw the id before its settings named the group took it off the list.
    if (stored.settings.group !== undefined) await this.#groups.join(stored.settings.group, id)
    return stored
  }

  async admit(id: string, request: port.AdmitRequest): Promise<port.Reply<port.AdmitResult>> {
    const reply = await this.#scripts.run('admit', id, admitArgs(request))
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#scripts.known('admit', id, reply)
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
    const reply = await this.#scripts.run('record', id, recordArgs(request), request.viewed)
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#scripts.known('record', id, reply)
    const { duplicate, outdated, dropped, waitMs, urgentShare } = returned
    return {
      status: 'ok',
      nowMs: known.nowMs,
      applied: known.applied,
      snapshot: known.snapshot,
      events: known.events,
      duplicate,
      outdated: Number(outdated),
      dropped: Number(dropped),
      waitMs: waitMs ?? request.flushIntervalMs,
      urgentShare: urgentShare ?? 1,
    }
  }

  async recordHeartbeat(id: string, request: port.HeartbeatRequest): Promise<port.Reply> {
    return this.#scripts.plain('heartbeat', id, await this.#scripts.run('heartbeat', id, request))
  }

  async overdue(id: string, request: port.OverdueRequest): Promise<port.Reply> {
    return this.#scripts.plain('overdue', id, await this.#scripts.run('overdue', id, request))
  }

  async reset(id: string, request: port.ControlRequest): Promise<port.Reply> {
    return this.#scripts.plain('reset', id, await this.#scripts.run('reset', id, request))
  }

  async trip(id: string, request: port.TripRequest): Promise<port.Reply> {
    return this.#scripts.plain('trip', id, await this.#scripts.run('trip', id, request))
  }

  async mark(id: string, request: port.MarkRequest): Promise<port.Reply> {
    return this.#scripts.plain('mark', id, await this.#scripts.run('mark', id, request))
  }

  async resume(id: string, request: port.ResumeRequest): Promise<port.Reply> {
    const { endedOnly = false } = request
    return this.#scripts.plain('resume', id, await this.#scripts.run('resume', id, { ...request, endedOnly }))
  }

  /** The script first, so that no keys are left behind under an id that is not listed. */
  async remove(id: string, request: port.ControlRequest): Promise<port.Reply> {
    const group = await this.#groups.groupOf(id)
    const reply = this.#scripts.plain('remove', id, await this.#scripts.run('remove', id, request))
    if (reply.status === 'late') return reply
    await this.#index.remove(id)
    if (group !== null) await this.#groups.leave(group, id)
    return reply
  }

  async view(id: string, request: port.Caller): Promise<port.Reply<port.ViewResult>> {
    const reply = await this.#scripts.run('view', id, request)
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#scripts.known('view', id, reply)
    return { ...known, sinceMs: Number(returned.sinceMs), tallies: parseTallies(returned.tallies) }
  }

  /** The script first: an entry of the index without it would be looked at in vain. */
  async touch(id: string, request: port.TouchRequest): Promise<port.Reply> {
    const reply = await this.#scripts.run('touch', id, request)
    if (reply.status !== 'ok') return reply
    const { known, returned } = this.#scripts.known('touch', id, reply)
    if (returned.idleAtMs !== null) await this.#idle.set(id, returned.idleAtMs)
    return known
  }

  /** The script first, as with `remove`. */
  async expire(id: string, request: port.Caller): Promise<port.Reply<{ readonly expired: boolean }>> {
    const reply = await this.#scripts.run('expire', id, request)
    if (reply.status !== 'ok') {
      await this.#idle.set(id, null)
      return reply
    }
    const { known, returned } = this.#scripts.known('expire', id, reply)
    if (returned.expired) await this.#index.remove(id)
    await this.#idle.set(id, returned.idleAtMs)
    return { ...known, expired: returned.expired }
  }

  idleProviders(count: number): Promise<readonly string[]> {
    return this.#idle.list(count)
  }

  async snapshot(id: string): Promise<port.Reply> {
    return this.#scripts.plain('snapshot', id, await this.#scripts.snapshot(id))
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

  members(group: string): Promise<readonly string[]> {
    return this.#groups.members(group)
  }

  touchWorker(worker: string, domain?: string): Promise<void> {
    return this.#workers.touch(worker, domain)
  }

  close(): Promise<void> {
    this.#redis.close()
    return Promise.resolve()
  }
}
