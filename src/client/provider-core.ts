import type { Change } from '../model/events.js'
import type { KnownReply, SettingsReply } from '../model/ports/store-replies.js'
import type { ProbeResult, Settings } from '../model/settings.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import { SUSPECT_AT } from '../rules/suspicion.js'
import { endsProbes, intervalNow, isStale, overdueAfterMs } from '../rules/probe-interval.js'
import { Readiness } from './admission/readiness.js'
import { Caller } from './call/caller.js'
import type { LocalOptions } from './call/local-options.js'
import type { ProcessContext } from './context.js'
import type { ProviderMeter } from './shared/provider-meter.js'
import { Outbox } from './outbox/outbox.js'
import { beginProbe, type ProbeAdmission, type ProbeBeginning } from './probing/probe-ticket.js'
import type { ProviderSession } from './sync/provider-session.js'
import { presentSnapshot, type Snapshot } from './sync/snapshot.js'

/**
 * One provider in one process: its session with the store, its outcomes on their way there, and its calls. The parts of
 * Busbar work with it; users hold a `Provider`, the public face of it.
 */
export class ProviderCore {
  readonly id: string
  readonly session: ProviderSession
  readonly outbox: Outbox
  readonly caller: Caller
  readonly #context: ProcessContext
  #readiness: Readiness | undefined

  constructor(context: ProcessContext, session: ProviderSession, local: LocalOptions) {
    this.id = session.id
    this.session = session
    this.outbox = new Outbox(context, session)
    this.caller = new Caller(context, session, this.outbox, local)
    this.#context = context
  }

  /** What all handles of this process share. */
  get context(): ProcessContext {
    return this.#context
  }

  /** When a call could begin; made when it is first asked for. */
  get readiness(): Readiness {
    const { gate } = this.caller
    this.#readiness ??= new Readiness({ context: this.#context, session: this.session, gate })
    return this.#readiness
  }

  /** The settings that this process last saw in force, with what else is stored of them. Asks nothing of the store. */
  get stored(): SettingsReply {
    return this.session.settings
  }

  /** The settings in force, as far as this process knows. Asks nothing of the store. */
  get settings(): Settings {
    return this.session.settings.settings
  }

  /** The store's time of now, as far as this process knows, ms. */
  get storeTimeMs(): number {
    return this.session.storeClock.nowMs
  }

  /** All there is to know, read from the store. @throws RedisUnavailableError, ProviderRemovedError */
  async snapshot(): Promise<Snapshot> {
    const reply = await this.readSnapshot()
    if (reply.snapshot === null) throw new TypeError(`snapshot ${this.id}: the store sent none`)
    return presentSnapshot(reply.snapshot, await this.session.currentSettings(), 'redis')
  }

  /** The snapshot that this process knows without asking; undefined after a removal. */
  peek(): Snapshot | undefined {
    const { session, caller } = this
    if (session.removed) return undefined
    const held = session.withoutStore ? caller.fallback.snapshot() : session.cache.read()
    if (held === undefined) return undefined
    const source = session.withoutStore ? 'fallback' : 'cache'
    return presentSnapshot(held, session.settings, source, session.cache.readAt)
  }

  /** Outcomes that this process recorded come before what it reads. */
  async readSnapshot(): Promise<KnownReply<unknown>> {
    if (this.outbox.busy) await this.outbox.drain()
    return this.session.run('snapshot', (store) => store.snapshot(this.id))
  }

  /** The snapshot known here of a circuit that is closed, with nothing in the way; else undefined. Copies nothing. */
  get knownFree(): StoredSnapshot | undefined {
    const { cache, settings } = this.session
    return cache.unblocked && cache.held?.settingsRevision === settings.revision ? cache.held : undefined
  }

  /** Of the settings that the newest snapshot known here was judged by. */
  get settingsRevision(): number | undefined {
    return this.session.cache.held?.settingsRevision
  }

  /** For probe workers. */
  beginProbe(options: ProbeBeginning): Promise<ProbeAdmission> {
    return beginProbe(this.#context, this.session, this.outbox, options)
  }

  /** Announces the end of a mark, where no write has done so since. */
  announceMarkEnd(): Promise<void> {
    return this.session.clearEndedMark()
  }

  /** Announces a silence of the probes that `seen`, read just now, shows: once, however many processes do. */
  async announceOverdue(seen: StoredSnapshot): Promise<void> {
    const { probe } = this.settings
    if (probe === undefined || endsProbes(seen.mark) || seen.probeOverdueAt !== null) return
    if (!isStale(probe, seen, seen.at)) return
    const request = { overdueMs: overdueAfterMs(probe, seen), intervalMs: intervalNow(probe, seen) }
    await this.session.run('overdue', (store) =>
      store.overdue(this.id, { ...this.session.caller, ...request }),
    )
  }

  /** What of it is counted for metrics; undefined while they are off. */
  get meter(): ProviderMeter | undefined {
    return this.#context.observers.meters?.of(this.session)
  }

  /** A probe was made here, which took so long, ms. */
  noteProbe(kind: string, { elapsedMs }: Pick<ProbeResult, 'elapsedMs'>): void {
    this.#context.observers.meters?.probeDurations.add(kind, elapsedMs)
  }

  /** For metrics: how long a change by another process took to come here. */
  noteDelay({ snapshot }: Change): void {
    const { meters } = this.#context.observers
    if (meters !== undefined && snapshot !== null) meters.propagation.add(this.storeTimeMs - snapshot.at)
  }

  /** The fleet suspects an outage of the provider: what this process holds is wanted now. */
  flushIfSuspected({ snapshot }: Change): void {
    if (snapshot?.state !== 'closed') return
    const { failureThreshold } = this.settings.breaker
    if (snapshot.failingBatches >= (failureThreshold ?? SUSPECT_AT)) this.outbox.flushNow()
  }

  /**
   * All was read again. Failures that were counted before the outage are not to wait for this process's next outcome: the
   * write of another process would look as if the fleet had gone on. What waits is written now, and a provider whose write
   * was refused shows that it takes one: of a Cluster one master may refuse while the others serve.
   */
  async onStoreRestored(): Promise<void> {
    const held = this.session.cache.read()
    if (held === undefined || this.session.removed) return
    const failures = held.consecutiveFailures + held.probeConsecutiveFailures
    if (failures === 0 && !this.outbox.busy && !this.session.owesWrite) return
    await this.outbox.reportOutage()
    if (!this.outbox.busy) this.session.owesWrite = false
  }
}
