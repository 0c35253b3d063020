import { worstFirst } from '../../view/provider-list.js'
import type { ProviderView } from '../../view/provider-view.js'
import { NOTHING, reduce, type FleetState, type Message, type Received } from './fleet-state.js'
import type { Link } from './standing.js'
import { Stream } from './stream.js'
import { viewAt, type RedisClock } from './view.js'

/** The state that views are drawn from. Replaced as a whole. */
export interface Live {
  readonly fleet: FleetState
  readonly link: Link
  /** Every provider as it was when something changed last, the worst first. */
  readonly views: readonly ProviderView[]
}

/**
 * The fleet, live. Messages are collected for a moment and applied together, so that a burst costs one drawing. While the tab
 * is hidden they are applied at an event of a provider, or when it is shown again; nothing is drawn, and no timer ticks.
 */
export class LiveFleet {
  #live: Live = { fleet: NOTHING, link: 'connecting', views: [] }
  readonly #views = new WeakMap<Received, ProviderView>()
  #messages: Message[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()
  readonly #onEvent = new Set<(message: Message) => void>()
  readonly #stream = new Stream({
    onMessage: (message) => this.#take(message),
    onLink: (link) => this.#set({ ...this.#live, link }),
  })

  get live(): Live {
    return this.#live
  }

  start(): void {
    this.#stream.open()
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return
      this.#apply()
      this.#set(this.#live) // what was applied meanwhile was not drawn
    })
  }

  /** Again, after the viewer was refused. */
  retry(): void {
    this.#set({ ...this.#live, link: 'connecting' })
    this.#stream.open()
  }

  /** @returns ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Each message, when it comes. @returns ends it */
  onMessage(listener: (message: Message) => void): () => void {
    this.#onEvent.add(listener)
    return () => this.#onEvent.delete(listener)
  }

  #take(message: Message): void {
    this.#messages.push(message)
    for (const listener of this.#onEvent) listener(message)
    // An opening is told by the title of a tab that is hidden.
    if (document.hidden && message.event !== 'event' && this.#messages.length < MANY) return
    this.#timer ??= setTimeout(() => this.#apply(), COLLECT_MS)
  }

  #apply(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#messages.length === 0) return
    const now = Date.now()
    const fleet = reduce(this.#live.fleet, this.#messages.splice(0), now)
    const views = worstFirst([...fleet.providers.values()].map((each) => this.#viewOf(each, now, fleet)))
    this.#set({ ...this.#live, fleet, views })
  }

  /** Made once, as long as nothing new came; what blocks calls may have run out. */
  #viewOf(received: Received, now: number, clock: RedisClock): ProviderView {
    const held = this.#views.get(received)
    if (held?.snapshot.blockedBy.length === 0) return held
    const view = viewAt(received, now, clock)
    this.#views.set(received, view)
    return view
  }

  #set(live: Live): void {
    this.#live = live
    for (const listener of this.#listeners) listener()
  }
}

const COLLECT_MS = 250
const MANY = 5_000
