import type { Change, ProviderEvent } from '../model/events.js'
import type { Inspection } from '../model/inspection.js'
import type { Outage } from '../model/outage.js'
import type * as port from '../model/ports/store.js'
import type { Clock } from '../model/ports/time.js'
import type { HistoryEntry } from '../model/snapshot.js'
import { admit } from '../rules/admission.js'
import type { Circuit, Step } from '../rules/circuit.js'
import { reset, trip } from '../rules/control.js'
import { recordHeartbeat } from '../rules/heartbeat.js'
import { clearMark, setMark } from '../rules/marks.js'
import { overdue } from '../rules/overdue.js'
import { historyOf } from './history.js'
import { andThen, atPresent, begin, keep, stamp, type MemoryProvider, type Written } from './provider.js'
import { idleIds, removalOfIdle, stays, touchMember } from './idle.js'
import { record } from './record.js'
import { removal, type RemovedBy } from './removal.js'
import { createProvider, reconfigure, refuseRegistration } from './register.js'
import { settingsOf } from './settings.js'
import { snapshotOf } from './snapshot.js'
import { viewWorkers } from './view.js'
import { WorkerIndex } from './worker-index.js'

/**
 * The store in a Map, over `rules/`. Tests of users run on it, and `lua/` is held to it. It answers by promises, as
 * Redis does, so that no caller comes to rely on a reply within the same turn.
 *
 * A writing operation has three steps: the circuit at the present time, the change by the rules, the commit.
 */
export class MemoryStore implements port.Store {
  readonly #clock: Clock
  readonly #publish: (change: Change) => void
  readonly #providers = new Map<string, MemoryProvider>()
  readonly #workers = new WorkerIndex()

  constructor(clock: Clock, publish: (change: Change) => void = () => undefined) {
    this.#clock = clock
    this.#publish = publish
  }

  epoch(): Promise<string | null> {
    return Promise.resolve('memory')
  }

  ensureEpoch(): Promise<string> {
    return Promise.resolve('memory')
  }

  register(id: string, request: port.RegisterRequest): Promise<port.KnownReply<port.SettingsReply>> {
    const known = this.#providers.get(id)
    const nowMs = this.#clock.now()
    const refusal = refuseRegistration(id, known, request, nowMs)
    if (refusal !== undefined) return Promise.reject(refusal)
    if (known !== undefined) {
      const versionBefore = known.circuit.version
      const step = reconfigure(known, request, nowMs)
      const reply = this.#commit(known, request, versionBefore, { step, extra: settingsOf(known) })
      return Promise.resolve(reply)
    }
    const { provider, step } = createProvider(id, request, nowMs)
    this.#providers.set(id, provider)
    return Promise.resolve(this.#commit(provider, request, 0, { step, extra: settingsOf(provider) }))
  }

  admit(id: string, request: port.AdmitRequest): Promise<port.Reply<port.AdmitResult>> {
    return this.#write(id, request, ({ settings, revision: settingsRevision }, circuit) => {
      const { breaker, probe } = settings
      const { admission, ...step } = admit(circuit, request, breaker, probe?.intervalMs ?? null)
      const { generation, markVersion } = step.circuit
      return { step, extra: { ...admission, generation, markVersion, settingsRevision } }
    })
  }

  record(id: string, request: port.RecordRequest): Promise<port.Reply<port.RecordResult>> {
    return this.#write(id, request, (provider, circuit) => record(provider, circuit, request))
  }

  recordHeartbeat(id: string, request: port.HeartbeatRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit) => ({
      circuit: recordHeartbeat(circuit, request.progress),
      events: [],
    }))
  }

  overdue(id: string, request: port.OverdueRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit, { settings }) =>
      overdue(circuit, settings.probe !== undefined, request),
    )
  }

  reset(id: string, request: port.ControlRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit) => reset(circuit, request))
  }

  trip(id: string, request: port.TripRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit) => trip(circuit, request))
  }

  mark(id: string, request: port.MarkRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit) => setMark(circuit, request))
  }

  resume(id: string, request: port.ResumeRequest): Promise<port.Reply> {
    // A mark that has ended is cleared before, as by every write.
    return this.#change(id, request, (circuit) =>
      request.endedOnly === true ? { circuit, events: [] } : clearMark(circuit, request),
    )
  }

  remove(id: string, request: port.ControlRequest): Promise<port.Reply> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const circuit = atPresent(provider, readingMs)
    const { lastNowMs: nowMs } = circuit
    if (nowMs > request.notAfterMs) return Promise.resolve({ status: 'late', nowMs })
    return Promise.resolve(this.#remove(provider, circuit, request))
  }

  #remove(provider: MemoryProvider, before: Circuit, by: RemovedBy): port.KnownReply<unknown> {
    const step = removal(before, by)
    const { lastNowMs: nowMs, applied } = step.circuit
    const events = stamp(provider, by.worker, step)
    this.#providers.delete(provider.id)
    this.#publish({ providerId: provider.id, events, snapshot: null })
    return { status: 'ok', nowMs, applied, snapshot: null, events }
  }

  touch(id: string, request: port.TouchRequest): Promise<port.Reply> {
    return this.#change(id, request, (circuit, provider) => touchMember(provider, request, circuit))
  }

  view(id: string, request: port.Caller): Promise<port.Reply<port.ViewResult>> {
    return this.#write(id, request, viewWorkers)
  }

  expire(id: string, request: port.Caller): Promise<port.Reply<{ readonly expired: boolean }>> {
    const provider = this.#providers.get(id)
    if (provider !== undefined) {
      const circuit = atPresent(provider, this.#clock.now())
      const by = removalOfIdle(provider, circuit, request.worker)
      if (by !== undefined) return Promise.resolve({ ...this.#remove(provider, circuit, by), expired: true })
    }
    return this.#write(id, request, stays)
  }

  idleProviders(count: number): Promise<readonly string[]> {
    return Promise.resolve(idleIds(this.#providers.values(), this.#clock.now()).slice(0, count))
  }

  snapshot(id: string): Promise<port.Reply> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const snapshot = snapshotOf(provider, readingMs)
    const { at: nowMs, applied } = snapshot
    return Promise.resolve({ status: 'ok', nowMs, applied, snapshot, events: [] })
  }

  /** Memory has no keys that another program could write. */
  verify(): Promise<void> {
    return Promise.resolve()
  }

  settings(id: string): Promise<port.SettingsReply | null> {
    const provider = this.#providers.get(id)
    return Promise.resolve(provider === undefined ? null : settingsOf(provider))
  }

  history(id: string, count: number, sinceMs: number): Promise<readonly HistoryEntry[]> {
    return Promise.resolve(historyOf(this.#providers.get(id), this.#clock.now(), count, sinceMs))
  }

  events(id: string, count: number): Promise<readonly ProviderEvent[]> {
    return Promise.resolve(count === 0 ? [] : (this.#providers.get(id)?.events.slice(-count) ?? []))
  }

  outages(id: string, count: number): Promise<readonly Outage[]> {
    return Promise.resolve(count === 0 ? [] : (this.#providers.get(id)?.outages.slice(-count) ?? []))
  }

  providers(): Promise<readonly port.ProviderSummary[]> {
    const all = [...this.#providers.values()]
    return Promise.resolve(all.map(({ id, registeredAt }) => ({ id, registeredAt })))
  }

  members(group: string): Promise<readonly string[]> {
    const all = [...this.#providers.values()]
    return Promise.resolve(all.filter(({ settings }) => settings.group === group).map(({ id }) => id))
  }

  touchWorker(worker: string, domain?: string): Promise<void> {
    this.#workers.touch(worker, this.#clock.now(), domain)
    return Promise.resolve()
  }

  /** See `busbar.workers()`. */
  workers(): Inspection['workers'] {
    return this.#workers.list(this.#clock.now())
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** A write whose reply has nothing of its own. */
  #change(
    id: string,
    request: port.Caller & { readonly notAfterMs?: number },
    change: (circuit: Circuit, provider: MemoryProvider) => Step,
  ): Promise<port.Reply> {
    return this.#write(id, request, (provider, circuit) => ({ step: change(circuit, provider), extra: {} }))
  }

  /** Every change of a known provider, except by `register` and `remove`. */
  #write<T>(
    id: string,
    request: port.Caller & { readonly notAfterMs?: number },
    change: (provider: MemoryProvider, circuit: Circuit) => Written<T>,
  ): Promise<port.Reply<T>> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const begun = begin(provider, readingMs)
    const { lastNowMs: nowMs } = begun.circuit
    if (request.notAfterMs !== undefined && nowMs > request.notAfterMs) {
      return Promise.resolve({ status: 'late', nowMs })
    }
    const { step, extra } = change(provider, begun.circuit)
    const written = { step: andThen(begun, step), extra }
    return Promise.resolve(this.#commit(provider, request, provider.circuit.version, written))
  }

  /** Stores a change, publishes it if the version has grown, and makes the reply. */
  #commit<T>(
    provider: MemoryProvider,
    { worker, knownVersion }: port.Caller,
    versionBefore: number,
    { step, extra }: Written<T>,
  ): port.KnownReply<T> {
    const { version, lastNowMs: nowMs, applied } = step.circuit
    const events = stamp(provider, worker, step)
    keep(provider, step, events)
    const current = snapshotOf(provider, this.#clock.now(), step.circuit)
    const changed = version !== versionBefore
    if (changed) this.#publish({ providerId: provider.id, events, snapshot: current })
    const snapshot = changed || version !== knownVersion ? current : null
    return { status: 'ok', nowMs, applied, snapshot, events, ...extra }
  }
}
