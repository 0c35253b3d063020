import { CommandLateError, UnknownProviderError } from '../model/errors.js'
import type { Change, ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type * as port from '../model/ports.js'
import type { HistoryEntry } from '../model/snapshot.js'
import { isHealthStatus } from '../model/words.js'
import { admit } from '../rules/admission.js'
import { forgetFailuresBefore, judge, reset, suspectOutage, trip } from '../rules/breaker.js'
import {
  awaitProbe,
  bumpVersion,
  dropExpiredTrials,
  newCircuit,
  stateAt,
  type Circuit,
  type Step,
} from '../rules/circuit.js'
import { advanceClock, peekClock } from '../rules/clock.js'
import { recordHeartbeat } from '../rules/heartbeat.js'
import { append, beginBatch, endBatch, view } from '../rules/history.js'
import { nextSlot } from '../rules/backpressure.js'
import { clearMark, setMark } from '../rules/marks.js'
import { overdue } from '../rules/overdue.js'
import { restoreCircuit } from '../rules/restore.js'
import {
  andThen,
  begin,
  keepEvents,
  keepOutages,
  newProvider,
  settle,
  snapshotOf,
  stamp,
} from './provider.js'
import type { MemoryProvider } from './provider.js'
import { changeSettings, settingsOf } from './settings.js'

/**
 * The store in a Map, over `rules/`: what tests of users run on, and what `lua/` is held to. It answers as
 * Redis would, promises included, so that nobody who uses it comes to rely on its being faster.
 */
export class MemoryStore implements port.Store {
  readonly #clock: port.Clock
  readonly #publish: (change: Change) => void
  readonly #providers = new Map<string, MemoryProvider>()
  readonly #registered = new Map<string, number>()

  constructor(clock: port.Clock, publish: (change: Change) => void = () => undefined) {
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
    const notAfterMs = request.byHand?.notAfterMs ?? Infinity
    const readingMs = this.#clock.now()
    // By the provider's time, as every operation: it does not go back when the clock does.
    const nowMs = known === undefined ? readingMs : peekClock(known.circuit, readingMs)
    if (nowMs > notAfterMs) return Promise.reject(new CommandLateError('register', id))
    if (known !== undefined) return Promise.resolve(this.#reconfigure(id, known, request))
    if (request.mode === 'release') return Promise.reject(new UnknownProviderError(id))
    return Promise.resolve(this.#create(id, request))
  }

  #create(id: string, request: port.RegisterRequest): port.KnownReply<port.SettingsReply> {
    const now = this.#clock.now()
    const { restore, settings, worker, byHand } = request
    const actor = byHand?.operator ?? ''
    const circuit = restore === null ? newCircuit(now) : restoreCircuit(restore, now)
    const revision = (restore?.settingsRevision ?? 0) + 1
    const provider = newProvider(circuit, settings, revision, actor || worker, actor !== '')
    this.#providers.set(id, provider)
    this.#registered.set(id, now)
    const { generation, version } = circuit
    const reason = restore === null ? 'registered' : 'restored after a wipe'
    const to = stateAt(circuit.phase, now)
    const event = { kind: 'registered' as const, from: '', to, reason, actor, generation, version }
    const reply = this.#commit(id, provider, request, 0, { circuit, events: [event] }, {})
    return { ...reply, ...settingsOf(provider) }
  }

  #reconfigure(id: string, provider: MemoryProvider, request: port.RegisterRequest) {
    const before = provider.circuit.version
    let step: Step = {
      circuit: { ...provider.circuit, ...advanceClock(provider.circuit, this.#clock.now()) },
      events: [],
    }
    const changed = changeSettings(provider, request, step.circuit.lastNowMs)
    if (changed !== undefined) {
      const { lastNowMs } = step.circuit
      const asked = request.mode === 'set' ? awaitProbe(step.circuit, lastNowMs) : step.circuit
      const circuit = bumpVersion(asked)
      const { generation, version } = circuit
      const { from, to, reason } = changed
      const actor = request.byHand?.operator ?? ''
      const event = { kind: 'settings_changed' as const, from, to, actor, generation, version }
      step = { circuit, events: reason === undefined ? [] : [{ ...event, reason }] }
    }
    return { ...this.#commit(id, provider, request, before, step, {}), ...settingsOf(provider) }
  }

  admit(id: string, request: port.AdmitRequest): Promise<port.Reply<port.AdmitResult>> {
    return this.#write(id, request, (provider, circuit) => {
      const { admission, ...step } = admit(
        circuit,
        request,
        provider.settings.breaker,
        provider.settings.probe?.intervalMs ?? null,
      )
      const { generation, markVersion } = step.circuit
      return { step, extra: { ...admission, generation, markVersion, settingsRevision: provider.revision } }
    })
  }

  record(id: string, request: port.RecordRequest): Promise<port.Reply<port.RecordResult>> {
    const provider = this.#providers.get(id)
    const last = provider?.batches.get(request.incarnation)
    if (provider !== undefined && last !== undefined && request.sequence <= last) {
      return this.#write(id, request, (found, begun) => {
        const circuit = afterOutage(found, begun, request)
        const { waitMs, urgentShare } = nextSlot(circuit.nextSlotUs, circuit.lastNowMs, request)
        const extra = { duplicate: true, late: 0, dropped: 0, waitMs, urgentShare }
        return { step: { circuit, events: [] }, extra }
      })
    }
    const forgotten = last === undefined && request.resent
    return this.#write(id, request, (found, circuit) => this.#judge(found, circuit, request, forgotten))
  }

  #judge(provider: MemoryProvider, circuit: Circuit, request: port.RecordRequest, forgotten: boolean) {
    const fence = {
      settingsRevision: provider.revision,
      breaker: provider.settings.breaker,
      probe: provider.settings.probe ?? null,
      windowMs: provider.settings.history.windowMs,
    }
    let step: Step = { circuit: dropExpiredTrials(afterOutage(provider, circuit, request)), events: [] }
    let late = 0
    let dropped = 0
    let addedRuns = false
    const { history, settings } = provider
    const { lastNowMs } = step.circuit
    beginBatch(history, lastNowMs, settings.history)
    for (const run of request.runs) {
      const judged = judge(step.circuit, forgotten ? { ...run, generation: 0 } : run, fence, {
        window: history,
        jitterDraw: request.jitterDraw,
      })
      step = andThen(step, judged)
      late += judged.late
      const { outcome: status, count, ageMs } = run
      if (judged.dropped) dropped += count
      else if (isHealthStatus(status))
        addedRuns = append(history, { status, count, ageMs }, lastNowMs, settings.history) || addedRuns
    }
    endBatch(history, addedRuns, settings.history)
    provider.batches.set(request.incarnation, request.sequence)
    const { nextSlotUs, ...pace } = nextSlot(step.circuit.nextSlotUs, step.circuit.lastNowMs, request)
    const last = request.runs.at(-1)
    if (last !== undefined && !forgotten && pace.waitMs > request.flushIntervalMs) {
      step = { ...step, circuit: suspectOutage(step.circuit, last, fence.breaker) }
    }
    const extra = { duplicate: false, late, dropped, ...pace }
    return { step: { ...step, circuit: { ...step.circuit, nextSlotUs } }, extra }
  }

  recordHeartbeat(id: string, request: port.HeartbeatRequest): Promise<port.Reply> {
    return this.#write(id, request, (_, circuit) => ({
      step: { circuit: recordHeartbeat(circuit, request.progress), events: [] },
      extra: {},
    }))
  }

  overdue(id: string, request: port.OverdueRequest): Promise<port.Reply> {
    return this.#write(id, request, ({ settings }, circuit) => ({
      step: overdue(circuit, settings.probe !== undefined, request),
      extra: {},
    }))
  }

  reset(id: string, request: port.ControlRequest): Promise<port.Reply> {
    return this.#control(id, request, (circuit) => reset(circuit, request.reason, request.actor))
  }

  trip(id: string, request: port.TripRequest): Promise<port.Reply> {
    return this.#control(id, request, (circuit) =>
      trip(circuit, request.reason, request.actor, request.forMs),
    )
  }

  mark(id: string, request: port.MarkRequest): Promise<port.Reply> {
    const { mark, reason, actor, forMs } = request
    return this.#control(id, request, (circuit) => setMark(circuit, mark, reason, actor, forMs))
  }

  resume(id: string, request: port.ResumeRequest): Promise<port.Reply> {
    // One that has ended was cleared on the way here, as by every write.
    return this.#control(id, request, (circuit) =>
      request.endedOnly === true
        ? { circuit, events: [] }
        : clearMark(circuit, request.reason, request.actor),
    )
  }

  remove(id: string, request: port.ControlRequest): Promise<port.Reply> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const circuit = bumpVersion({ ...provider.circuit, ...advanceClock(provider.circuit, readingMs) })
    const { generation, version, lastNowMs, applied, phase } = circuit
    if (lastNowMs > request.notAfterMs) return Promise.resolve({ status: 'late', nowMs: lastNowMs })
    const { reason, actor, worker } = request
    const removed = {
      kind: 'removed' as const,
      from: phase.state,
      to: '',
      reason,
      actor,
      generation,
      version,
    }
    const events = stamp(id, worker, lastNowMs, [removed])
    this.#providers.delete(id)
    this.#registered.delete(id)
    this.#publish({ providerId: id, events, snapshot: null })
    return Promise.resolve({ status: 'ok', nowMs: lastNowMs, applied, snapshot: null, events })
  }

  snapshot(id: string): Promise<port.Reply> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const snapshot = snapshotOf(id, provider, readingMs)
    return Promise.resolve({
      status: 'ok',
      nowMs: snapshot.at,
      applied: snapshot.applied,
      snapshot,
      events: [],
    })
  }

  /** Memory has no keys that somebody else could write. */
  verify(): Promise<void> {
    return Promise.resolve()
  }

  settings(id: string): Promise<port.SettingsReply | null> {
    const provider = this.#providers.get(id)
    return Promise.resolve(provider === undefined ? null : settingsOf(provider))
  }

  history(id: string, count: number, sinceMs: number): Promise<readonly HistoryEntry[]> {
    const provider = this.#providers.get(id)
    if (provider === undefined || count === 0) return Promise.resolve([])
    const { runs } = view(
      provider.history,
      peekClock(provider.circuit, this.#clock.now()),
      provider.settings.history,
    )
    const kept = runs.filter((run) => run.atMs >= sinceMs).slice(-count)
    return Promise.resolve(kept.map((run) => ({ at: run.atMs, status: run.status, count: run.count })))
  }

  events(id: string, count: number): Promise<readonly ProviderEvent[]> {
    return Promise.resolve(count === 0 ? [] : (this.#providers.get(id)?.events.slice(-count) ?? []))
  }

  outages(id: string, count: number): Promise<readonly Outage[]> {
    return Promise.resolve(count === 0 ? [] : (this.#providers.get(id)?.outages.slice(-count) ?? []))
  }

  providers(): Promise<readonly port.ProviderSummary[]> {
    return Promise.resolve([...this.#registered].map(([id, registeredAt]) => ({ id, registeredAt })))
  }

  touchWorker(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #control(
    id: string,
    request: port.ControlRequest,
    change: (circuit: Circuit) => Step,
  ): Promise<port.Reply> {
    return this.#write(id, request, (_, circuit) => ({ step: change(circuit), extra: {} }))
  }

  /** Every change of a known provider: on time, its mark expired, committed and published. */
  #write<T>(
    id: string,
    request: port.Caller & { readonly notAfterMs?: number },
    change: (provider: MemoryProvider, circuit: Circuit) => { step: Step; extra: T },
  ): Promise<port.Reply<T>> {
    const provider = this.#providers.get(id)
    const readingMs = this.#clock.now()
    if (provider === undefined) return Promise.resolve({ status: 'unknown_provider', nowMs: readingMs })
    const begun = begin(provider, readingMs)
    const { lastNowMs } = begun.circuit
    if (request.notAfterMs !== undefined && lastNowMs > request.notAfterMs) {
      return Promise.resolve({ status: 'late', nowMs: lastNowMs })
    }
    const before = provider.circuit.version
    const { step, extra } = change(provider, begun.circuit)
    return Promise.resolve(this.#commit(id, provider, request, before, andThen(begun, step), extra))
  }

  #commit<T>(
    id: string,
    provider: MemoryProvider,
    request: port.Caller,
    versionBefore: number,
    step: Step,
    extra: T,
  ): port.KnownReply<T> {
    provider.circuit = settle(provider.circuit, step.circuit)
    const { version, lastNowMs, applied } = step.circuit
    const events = stamp(id, request.worker, lastNowMs, step.events)
    keepEvents(provider, events)
    keepOutages(provider, step.events)
    const snapshot = snapshotOf(id, { ...provider, circuit: step.circuit }, this.#clock.now())
    if (version !== versionBefore) this.#publish({ providerId: id, events, snapshot })
    const told = version === request.knownVersion && version === versionBefore ? null : snapshot
    return { status: 'ok', nowMs: lastNowMs, applied, snapshot: told, events, ...extra }
  }
}

/** The circuit as a batch finds it: a caller who lost the store may end the runs of failures. */
const afterOutage = (found: MemoryProvider, circuit: Circuit, { lostMsAgo }: port.RecordRequest): Circuit =>
  lostMsAgo === null
    ? circuit
    : forgetFailuresBefore(circuit.lastNowMs - lostMsAgo, circuit, found.circuit.lastNowMs)
