import type { StoredSnapshot } from './snapshot.js'

/** What can happen to a provider. One event per transition, whoever raced. */
export const EVENT_KINDS = [
  'registered',
  'opened',
  'half_opened',
  'closed',
  'reset',
  'marked',
  'resumed',
  'throttled',
  'settings_changed',
  'removed',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

export interface ProviderEvent {
  readonly kind: EventKind
  readonly providerId: string
  /** The state (of the circuit, the mark or the settings) before; empty where there was none. */
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly generation: number
  readonly version: number
  /** The process whose script made the transition. */
  readonly worker: string
  /** Who asked for it, where somebody did. */
  readonly actor: string
  /** Redis ms. */
  readonly at: number
}

/** What the script that made a change tells every process, atomically with the change. */
export interface Change {
  readonly providerId: string
  readonly events: readonly ProviderEvent[]
  /** Null when the provider was removed. */
  readonly snapshot: StoredSnapshot | null
}
