import { coreOf, type Busbar } from '../client/busbar.js'
import type { BusbarCore } from '../client/busbar-core.js'
import type { Meters } from '../client/shared/meters.js'
import type { ProviderMeter } from '../client/shared/provider-meter.js'
import { presentSnapshot } from '../client/sync/snapshot.js'
import { ArgumentError } from '../model/errors.js'
import type { ProviderEvent } from '../model/events.js'
import type { Observer } from '../model/observations.js'
import { FleetReading } from './fleet-reading.js'
import type { ProviderReading } from './provider-reading.js'

/** What waits in the outboxes of a process. */
export interface Backlog {
  readonly runs: number
  readonly oldestMs: number
}

/** The one port behind which exporters stand: all that they know of a busbar comes through it. */
export interface MetricsSource {
  readonly workerId: string
  readonly storeUp: boolean
  readonly outcomesLost: number
  /** What this process counts; the same until `stop`. */
  readonly meters: Meters
  readonly backlog: Backlog
  /** The providers that this process follows, as it knows them. Asks nothing of the store. */
  held(): readonly ProviderReading[]
  /** All of the fleet; read from the store at most once per 5 s. */
  fleet(): Promise<readonly ProviderReading[]>
  /** What this process has counted of each provider that it holds. */
  counted(): readonly (readonly [id: string, meter: ProviderMeter])[]
  observe(observer: Observer): void
  onEvent(listener: (event: ProviderEvent) => void): void
  /** Ends all of it. */
  stop(): void
}

/** @throws ArgumentError */
export function metricsSource(busbar: Busbar): MetricsSource {
  let core: BusbarCore
  try {
    core = coreOf(busbar)
  } catch {
    throw new ArgumentError('busbar', 'busbar: expected what connect() gives')
  }
  return new CoreSource(busbar, core)
}

class CoreSource implements MetricsSource {
  readonly meters: Meters
  readonly #busbar: Busbar
  readonly #core: BusbarCore
  readonly #fleet: FleetReading
  #stops: (() => void)[] = []

  constructor(busbar: Busbar, core: BusbarCore) {
    this.#busbar = busbar
    this.#core = core
    this.#fleet = new FleetReading(core)
    const { observers } = core.context
    this.meters = observers.startMeters()
    this.#stops.push(() => observers.stopMeters())
  }

  get workerId(): string {
    return this.#core.context.worker
  }

  get storeUp(): boolean {
    return !this.#core.context.watch.lost
  }

  get outcomesLost(): number {
    return this.#core.context.counters.outcomesLost
  }

  get backlog(): Backlog {
    const { clock } = this.#core.context
    let runs = 0
    let oldestAt = Infinity
    for (const core of this.#core.registry.cores()) {
      const backlog = core.outbox.backlog
      runs += backlog.runs
      oldestAt = Math.min(oldestAt, backlog.oldestAt ?? Infinity)
    }
    return { runs, oldestMs: oldestAt === Infinity ? 0 : clock.now() - oldestAt }
  }

  held(): readonly ProviderReading[] {
    return [...this.#core.registry.cores()].flatMap((core) => {
      const { session, settings } = core
      // Not `peek`: without the store, each process would say what it decides by, and not what Redis last said.
      const stored = session.cache.read()
      if (stored === undefined || session.removed) return []
      const snapshot = presentSnapshot(stored, session.settings, 'cache', session.cache.readAt)
      return [{ id: core.id, fresh: false, settings, snapshot }]
    })
  }

  fleet(): Promise<readonly ProviderReading[]> {
    return this.#fleet.providers()
  }

  counted(): readonly (readonly [string, ProviderMeter])[] {
    return [...this.#core.registry.cores()].flatMap((core) => {
      const { meter } = core
      return meter === undefined ? [] : [[core.id, meter] as const]
    })
  }

  observe(observer: Observer): void {
    this.#stops.push(this.#busbar.observe(observer))
  }

  onEvent(listener: (event: ProviderEvent) => void): void {
    this.#stops.push(
      this.#busbar.watch((change) => {
        if (change !== 'gap') change.events.forEach(listener)
      }),
    )
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
