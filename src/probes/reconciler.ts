import type { BusbarCore } from '../client/busbar-core.js'
import { meansLost } from '../model/errors.js'
import type { Change, EventKind } from '../model/events.js'
import type { Schedule } from '../model/ports/schedule.js'
import { intervalNow } from '../rules/probe-interval.js'
import type { ProbeSettings } from '../model/probe.js'
import { needsOf } from './kinds.js'
import { QuietProviders } from './quiet-providers.js'
import { readProvider, type Read } from './read-provider.js'
import type { RecoveryProbes } from './recovery.js'
import type { Timers } from './timers.js'

export interface ReconcilerOptions {
  readonly busbar: BusbarCore
  readonly schedule: Schedule
  readonly recovery: RecoveryProbes
  readonly timers: Timers
  /** What is planned for a provider changed. */
  readonly planned: (id: string) => void
}

/**
 * Keeps the schedule what the registered providers ask for.
 *
 * Every probe worker of a fleet has one, and each follows the messages: each write is harmless when repeated, so nobody
 * need be elected for them. What came without a message (a mark that ran out, a plan that is gone) is found by a pass
 * over everything, twice a minute, which the queue gives to one worker of the fleet.
 *
 * One pass runs at a time in a process, and what is asked for meanwhile waits for the next. That order is what makes
 * removals safe: a pass that read an old mark, and drops a plan that another process has just made again, is followed by
 * a pass for the event that made it so.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #ids = new Set<string>()
  /** The settings that each provider is planned by. */
  readonly #revisions = new Map<string, number>()
  readonly #quiet = new QuietProviders()
  #wanted: 'nothing' | 'differences' | 'everything' = 'nothing'
  #passing: Promise<void> | undefined
  #unwatch: (() => void) | undefined
  #closed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Follows what changes, from now on. `gap`: messages may have been missed. */
  follow(gap: () => void): void {
    this.#unwatch = this.#options.busbar.watch((change) => {
      if (change === 'gap') {
        this.#quiet.forget()
        gap()
      } else this.#follow(change)
    })
  }

  /** Looks at whatever is planned and not registered, or the other way round. @throws RedisUnavailableError */
  async begin(): Promise<void> {
    await this.#all('differences')
  }

  /** One provider, soon. */
  review(id: string): void {
    this.#ids.add(id)
    void this.#pass()
  }

  /** All of them; or only those that are planned and not registered, or the other way round. Resolves when it is done. */
  reviewAll(which: 'differences' | 'everything'): Promise<void> {
    if (this.#wanted !== 'everything') this.#wanted = which
    return this.#pass()
  }

  /** Begins nothing more; what runs may still be waiting for Redis. */
  close(): void {
    this.#closed = true
    this.#unwatch?.()
  }

  /** Settings that two versions of a program change in turn change without an event most of the time. */
  #follow({ events, providerId, snapshot }: Change): void {
    const planned = this.#revisions.get(providerId)
    const others = planned !== undefined && snapshot !== null && snapshot.settingsRevision !== planned
    if (others || events.some(({ kind }) => FOLLOWED.has(kind))) this.review(providerId)
  }

  #pass(): Promise<void> {
    this.#passing ??= this.#drain().finally(() => {
      this.#passing = undefined
    })
    return this.#passing
  }

  async #drain(): Promise<void> {
    while (!this.#closed && (this.#wanted !== 'nothing' || this.#ids.size > 0)) {
      const wanted = this.#wanted
      const ids = [...this.#ids]
      this.#wanted = 'nothing'
      this.#ids.clear()
      if (wanted !== 'nothing') await this.#allOrLater(wanted)
      await this.#each(ids)
    }
  }

  async #allOrLater(which: 'differences' | 'everything'): Promise<void> {
    try {
      await this.#all(which)
    } catch (error) {
      this.#failed(error)
      const retryMs = meansLost(error) ? RETRY_MS : REFUSED_RETRY_MS
      this.#options.timers.later(retryMs, () => void this.reviewAll(which))
    }
  }

  /** Plans are listed before providers: one whose provider is not listed then lost it, and is not too new. */
  async #all(which: 'differences' | 'everything'): Promise<void> {
    const { busbar, schedule } = this.#options
    const planned = new Set((await schedule.list()).map(({ id }) => id))
    const registered = await busbar.providers()
    const ids = new Set([...planned, ...registered])
    if (which === 'differences') for (const id of registered) if (planned.has(id)) ids.delete(id)
    await this.#each(this.#quiet.without(ids), (id) => !planned.has(id))
  }

  async #each(ids: readonly string[], isLost: (id: string) => boolean = () => false): Promise<void> {
    for (let i = 0; i < ids.length && !this.#closed; i += BATCH) {
      const one = async (id: string) => {
        try {
          await this.#one(id, isLost(id))
        } catch (error) {
          this.#failed(error, id)
          // What waiting does not mend, the next pass over everything meets again.
          if (meansLost(error)) this.#options.timers.later(RETRY_MS, () => this.review(id))
        }
      }
      await Promise.all(ids.slice(i, i + BATCH).map(one))
    }
  }

  /** `lost`: there was no plan for it, though no message said so. */
  async #one(id: string, lost: boolean): Promise<void> {
    const { busbar, timers } = this.#options
    const quiet = await this.#quiet.look(busbar, id)
    if (quiet !== undefined) {
      this.#revisions.set(id, quiet)
      if (!lost) await this.#drop(id)
      return
    }
    const seen = await readProvider(busbar, id)
    if (seen === undefined) this.#revisions.delete(id)
    else this.#revisions.set(id, seen.snapshot.settingsRevision)
    // Listed, not planned and without keys: it is being registered at this moment, and that will plan it. To drop the plan
    // now could be to drop that one, and the provider would be probed twice at its start.
    if (lost && seen === undefined) return
    // The processes that follow it do so when it comes, unless none did.
    if (seen?.snapshot.markEnded === true) await seen.provider.announceMarkEnd()
    // Those who know it plan it, and what is planned by them is not to be changed by a worker that does not.
    if (seen?.probe?.kind === 'unread') return
    if (seen?.probe === undefined) {
      await this.#drop(id)
      const endsInMs = seen?.snapshot.markForMs ?? Infinity
      if (endsInMs <= PASS_MS) timers.later(endsInMs + 1, () => this.review(id))
      return
    }
    await this.#plan(seen, seen.probe, lost)
    await seen.provider.announceOverdue(seen.snapshot)
  }

  async #drop(id: string): Promise<void> {
    const { busbar, schedule } = this.#options
    if (await schedule.drop(id)) busbar.context.log.debug({ provider: id }, 'probe loop ended')
  }

  async #plan(seen: Read, probe: ProbeSettings, lost: boolean): Promise<void> {
    const { busbar, schedule, recovery, planned } = this.#options
    const { counters, log } = busbar.context
    const { id } = seen.provider
    const { at, probeStartedAt, lastProbeAt } = seen.snapshot
    const intervalMs = intervalNow(probe, seen.snapshot)
    // A probe that Redis was not asked about is known by its result alone.
    const lastAt = Math.max(probeStartedAt ?? 0, lastProbeAt ?? 0)
    const sinceMs = lastAt === 0 ? null : Math.max(0, at - lastAt)
    const recoveryInMs = recovery.inMs(seen, probe)
    const changed = await schedule.plan(id, { intervalMs, sinceMs, needs: needsOf(probe), recoveryInMs })
    planned(id)
    if (changed) log.debug({ provider: id, intervalMs }, 'probe loop planned')
    if (changed && lost && sinceMs !== null) {
      counters.probeSchedulesRepaired += 1
      log.info({ provider: id, intervalMs }, 'probe loop was gone: begun again')
    }
  }

  #failed(error: unknown, id?: string): void {
    if (this.#closed) return
    const { counters, log } = this.#options.busbar.context
    counters.connectionErrors += 1
    log.warn({ err: error, ...(id === undefined ? {} : { provider: id }) }, 'could not plan probes')
  }
}

const FOLLOWED: ReadonlySet<EventKind> = new Set([
  'registered',
  'marked',
  'resumed',
  'settings_changed',
  'removed',
  'opened',
  'closed',
  'reset',
  'throttled',
])
/** How often one worker of the fleet looks at everything, ms. */
export const PASS_MS = 30_000
const RETRY_MS = 1_000
/** Where Redis refused it for good: until that has been mended. */
const REFUSED_RETRY_MS = 30_000
/** Providers looked at side by side. */
const BATCH = 32
