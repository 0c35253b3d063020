import { isBusbarError, type Busbar, type ProviderEvent } from '../../index.js'
import { readFleet, type FleetView, type Selection } from '../selection.js'
import type { Shutdown } from '../start/shutdown.js'
import type { Scene, Screen } from './screen.js'

/**
 * Reads the fleet and draws it, until the shutdown begins.
 *
 * A message on the changes channel causes a reading at once. The clock causes one a second, for changes without a message
 * (a success rate, a silent probe). One reading runs at a time, at most four a second. After a slow reading the next
 * waits ten times as long, so that a large fleet is watched more slowly and not at its expense.
 * While Redis is away, the last frame stays, and reading goes on.
 */
export async function watchFleet(options: WatchOptions): Promise<void> {
  const { shutdown } = options
  const watch = new Watch(options)
  shutdown.onEnd(() => watch.stop())
  await watch.start()
}

export interface WatchOptions {
  readonly busbar: Busbar
  /** Which providers are shown; events are those of all. */
  readonly selection: Selection
  readonly screen: Screen
  readonly shutdown: Shutdown
}

const EVERY_MS = 1_000
const AT_MOST_EVERY_MS = 250
const REST_FACTOR = 10
const KEPT_EVENTS = 20

class Watch {
  readonly #busbar: Busbar
  readonly #selection: Selection
  readonly #screen: Screen
  readonly #shutdown: Shutdown
  readonly #events: ProviderEvent[] = []
  #fleet: FleetView = { views: [], unreadable: [], read: 0, pausedQueues: [], groups: [] }
  #away: Scene['away']
  #shown = ''
  #asked = false
  #restUntil = 0
  #timer: NodeJS.Timeout | undefined
  #unwatch: (() => void) | undefined

  constructor({ busbar, selection, screen, shutdown }: WatchOptions) {
    this.#busbar = busbar
    this.#selection = selection
    this.#screen = screen
    this.#shutdown = shutdown
  }

  async start(): Promise<void> {
    this.#unwatch = this.#busbar.watch((change) => {
      if (change !== 'gap') this.#events.push(...change.events)
      this.#events.splice(0, this.#events.length - KEPT_EVENTS)
      this.#ask()
    })
    await this.#read()
    this.#wait(EVERY_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#unwatch?.()
  }

  /** After a change, reads as soon as the limits allow, once for all changes until then. */
  #ask(): void {
    if (this.#asked || this.#timer === undefined) return
    this.#asked = true
    this.#wait(Math.max(0, this.#restUntil - performance.now()))
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#shutdown.begun) return
    this.#timer = setTimeout(() => {
      this.#asked = false
      // An outage of Redis is handled below. Any other failure ends the command.
      this.#read().then(
        () => this.#wait(Math.max(EVERY_MS, this.#restUntil - performance.now())),
        (error: unknown) => this.#shutdown.fail(error),
      )
    }, ms)
  }

  async #read(): Promise<void> {
    const began = performance.now()
    try {
      this.#fleet = await readFleet(this.#busbar, this.#selection)
      this.#away = undefined
    } catch (error) {
      if (!isBusbarError(error)) throw error
      const why = error.cause instanceof Error ? error.cause.message : error.message
      this.#away ??= { why, since: began }
    }
    const tookMs = performance.now() - began
    this.#restUntil = performance.now() + Math.max(AT_MOST_EVERY_MS, this.#away ? 0 : tookMs * REST_FACTOR)
    if (!this.#shutdown.begun) this.#draw()
  }

  #draw(): void {
    const scene = { ...this.#fleet, events: this.#events, away: this.#away }
    const signature = signatureOf(scene)
    if (!this.#screen.live && signature === this.#shown) return
    this.#shown = signature
    this.#screen.draw(scene)
  }
}

/** The content without times and counts, which change all the time: two equal ones are no change. */
const signatureOf = ({ views, unreadable, pausedQueues, away }: Scene): string =>
  away !== undefined
    ? 'away'
    : JSON.stringify([
        pausedQueues,
        unreadable,
        ...views.map(({ snapshot: s, settings }) => [
          [s.id, s.health, s.state, s.generation, s.version, s.mark, s.throttled, s.stale, s.trials],
          [s.lastProbeStatus, s.settingsRevision, settings.probe !== undefined],
        ]),
      ])
