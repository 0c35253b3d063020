import type { ProviderEvent } from '../../model/events.js'
import type { Settings } from '../../model/settings.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { ProviderView, Unreadable } from '../../view/provider-view.js'

/** A provider as the API and the stream tell it. */
export interface Received extends StoredSnapshot {
  readonly settings: Settings
  readonly settingsOrigin: ProviderView['origin']
  readonly settingsProblems: ProviderView['problems']
}

/** A message of the stream, parsed. */
export type Message =
  | { readonly event: 'reset' | 'synced' }
  | { readonly event: 'snapshot'; readonly data: Received }
  | { readonly event: 'removed'; readonly data: { readonly id: string } }
  | { readonly event: 'event'; readonly data: ProviderEvent }
  | {
      readonly event: 'store'
      readonly data: { readonly kind: 'store_lost' | 'store_restored'; readonly at: number }
    }
  | { readonly event: 'read'; readonly data: Reading }

/** The providers were read just now: what is shown is as old as this. */
export interface Reading {
  /** Redis ms; null where there are no providers. */
  readonly at: number | null
  readonly unreadable: readonly Unreadable[]
  readonly pausedProbeQueues: readonly string[]
}

/**
 * What the page knows of the fleet. `reduce` alone makes the next one.
 *
 * After a `reset` the whole state follows, provider by provider: it is collected in `coming` and takes the place of the
 * former at `synced`, so that nothing on the screen disappears for a moment.
 */
export interface FleetState {
  readonly providers: ReadonlyMap<string, Received>
  readonly coming: ReadonlyMap<string, Received> | undefined
  /** Whether the whole state was ever there. */
  readonly synced: boolean
  readonly unreadable: readonly Unreadable[]
  readonly pausedQueues: readonly string[]
  /** The newest events since the page was opened, oldest first. */
  readonly events: readonly ProviderEvent[]
  /** The clock of Redis minus that of the browser, ms. */
  readonly clockAheadMs: number
  /** When the fleet was last read, on the clock of the browser, ms since 1970; 0: not yet. */
  readonly readAt: number
  /** Since when Redis does not answer the server, ms since 1970; null while it does. */
  readonly storeLostAt: number | null
}

export const NOTHING: FleetState = {
  providers: new Map(),
  coming: undefined,
  synced: false,
  unreadable: [],
  pausedQueues: [],
  events: [],
  clockAheadMs: 0,
  readAt: 0,
  storeLostAt: null,
}

const KEPT_EVENTS = 200

/** The state after these messages, which came at `now`, ms since 1970. O(providers + messages). */
export function reduce(state: FleetState, messages: readonly Message[], now: number): FleetState {
  const draft = {
    ...state,
    providers: new Map(state.providers),
    coming: state.coming === undefined ? undefined : new Map(state.coming),
    events: [...state.events],
  }
  for (const message of messages) apply(draft, message, now)
  return { ...draft, events: draft.events.slice(-KEPT_EVENTS) }
}

interface Draft extends Omit<
  { -readonly [K in keyof FleetState]: FleetState[K] },
  'providers' | 'coming' | 'events'
> {
  providers: Map<string, Received>
  coming: Map<string, Received> | undefined
  events: ProviderEvent[]
}

function apply(draft: Draft, message: Message, now: number): void {
  switch (message.event) {
    case 'reset':
      draft.coming = new Map()
      break
    case 'snapshot':
      ;(draft.coming ?? draft.providers).set(message.data.id, message.data)
      break
    case 'synced':
      draft.providers = draft.coming ?? draft.providers
      draft.coming = undefined
      draft.synced = true
      break
    case 'removed':
      draft.providers.delete(message.data.id)
      draft.coming?.delete(message.data.id)
      break
    case 'event':
      draft.events.push(message.data)
      break
    case 'store':
      draft.storeLostAt = message.data.kind === 'store_lost' ? (draft.storeLostAt ?? message.data.at) : null
      break
    case 'read':
      read(draft, message.data, now)
      break
    default:
      message satisfies never
  }
}

function read(draft: Draft, { at, unreadable, pausedProbeQueues }: Reading, now: number): void {
  draft.readAt = now
  draft.storeLostAt = null // it was read from Redis
  draft.clockAheadMs = at === null ? draft.clockAheadMs : at - now
  draft.unreadable = unreadable
  draft.pausedQueues = pausedProbeQueues
}
