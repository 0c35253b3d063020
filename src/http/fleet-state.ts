import type { Busbar, HealthStatus } from '../index.js'
import { worstFirst } from '../view/provider-list.js'
import { isUnknown, readAll, viewJson, type ProviderView, type Unreadable } from '../view/provider-view.js'

/** A provider as it is sent: made once, however many read it. */
export interface FleetEntry {
  readonly id: string
  readonly view: ProviderView
  readonly json: string
}

/** The fleet at one moment. */
export interface FleetNow {
  /** ms since 1970 on this machine's clock. */
  readonly readAt: number
  /** The worst first. */
  readonly entries: readonly FleetEntry[]
  readonly unreadable: readonly Unreadable[]
  readonly pausedProbeQueues: readonly string[]
}

/**
 * What this process knows of all providers, for all that look at it through one handler.
 *
 * Two things keep it fresh. A message on the changes channel replaces one provider at once, and asks Redis nothing. A full
 * read brings what has no message: success rates, silent probes. Full reads are made on demand, one at a time, at most four a
 * second; after a slow one the next waits ten times as long. So a large fleet costs its Redis no more than a small one,
 * however many clients ask. Nothing is read while nobody looks.
 */
export class FleetState {
  readonly #busbar: Busbar
  readonly #changed = new Set<string>()
  #entries = new Map<string, FleetEntry>()
  #now: FleetNow | undefined
  #reading: Promise<FleetNow> | undefined
  #restUntil = 0
  #unwatch: (() => void) | undefined

  constructor(busbar: Busbar) {
    this.#busbar = busbar
  }

  /** The newest that the limits allow. @throws RedisUnavailableError while Redis is away */
  async now(): Promise<FleetNow> {
    if (this.#now === undefined || this.#busbar.degradedSince !== undefined) return this.read()
    if (performance.now() >= this.#restUntil) return this.read()
    return this.#update(this.#now)
  }

  /** As `now`, from Redis. */
  read(): Promise<FleetNow> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  /** What is known without asking, with all changes until now. */
  known(): FleetNow | undefined {
    return this.#now === undefined ? undefined : this.#update(this.#now)
  }

  entry(id: string): FleetEntry | undefined {
    return this.#entries.get(id)
  }

  close(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  async #read(): Promise<FleetNow> {
    const began = performance.now()
    // Before the read, so that no change between the two is missed.
    this.#unwatch ??= this.#busbar.watch((change) => {
      if (change === 'gap') this.#restUntil = 0
      else this.#changed.add(change.providerId)
    })
    this.#changed.clear()
    const [{ views, unreadable }, pausedProbeQueues] = await Promise.all([
      readAll(this.#busbar),
      this.#busbar.pausedProbeQueues(),
    ])
    this.#entries = new Map(views.map((view) => [view.snapshot.id, this.#entryOf(view)]))
    const tookMs = performance.now() - began
    this.#restUntil = performance.now() + Math.max(AT_MOST_EVERY_MS, tookMs * REST_FACTOR)
    return this.#keep({ unreadable, pausedProbeQueues, readAt: Date.now() })
  }

  #update(now: FleetNow): FleetNow {
    if (this.#changed.size === 0) return now
    for (const id of this.#changed) this.#replace(id)
    this.#changed.clear()
    return this.#keep(now)
  }

  /** By what this process holds: the message that reported the change has brought it. */
  #replace(id: string): void {
    const provider = this.#busbar.get(id)
    const snapshot = provider?.peek()
    if (provider === undefined || snapshot === undefined) {
      // Removed, or one that was registered just now: a read brings it.
      if (!this.#entries.delete(id)) this.#restUntil = 0
      return
    }
    const { settings, settingsOrigin: origin, settingsProblems: problems } = provider
    this.#entries.set(id, this.#entryOf({ snapshot, settings, origin, problems }))
  }

  #keep(facts: Omit<FleetNow, 'entries'>): FleetNow {
    const views = [...this.#entries.values()].map(({ view }) => view)
    const entries = worstFirst(views).flatMap(({ snapshot: { id } }) => this.#entries.get(id) ?? [])
    this.#now = { ...facts, entries }
    return this.#now
  }

  /** The same entry where nothing but the time has changed, so that it need not be sent again. */
  #entryOf(view: ProviderView): FleetEntry {
    const { id } = view.snapshot
    return { id, view, json: JSON.stringify(viewJson(view)) }
  }
}

const AT_MOST_EVERY_MS = 250
const REST_FACTOR = 10

/** How many providers are in each state. */
export interface FleetCounts {
  readonly total: number
  readonly health: Readonly<Record<string, number>>
  readonly circuit: Readonly<Record<string, number>>
  readonly unknown: number
  readonly unreadable: number
}

export function countsOf({ entries, unreadable }: Pick<FleetNow, 'entries' | 'unreadable'>): FleetCounts {
  const health: Record<HealthStatus, number> = {
    healthy: 0,
    degraded: 0,
    unhealthy: 0,
    timeout: 0,
    terminated: 0,
  }
  const circuit = { closed: 0, open: 0, half_open: 0 }
  let unknown = 0
  for (const { view } of entries) {
    health[view.snapshot.health] += 1
    circuit[view.snapshot.state] += 1
    if (isUnknown(view)) unknown += 1
  }
  return {
    total: entries.length + unreadable.length,
    health,
    circuit,
    unknown,
    unreadable: unreadable.length,
  }
}
