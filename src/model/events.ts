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
  'probe_overdue',
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

/** What can happen to this process's own sight of Redis. Told in this process alone; no stream holds it. */
export const STORE_EVENT_KINDS = ['store_lost', 'store_restored'] as const
export type StoreEventKind = (typeof STORE_EVENT_KINDS)[number]

export interface StoreEvent {
  readonly kind: StoreEventKind
  /** `store_lost`: what was not answered, in words; `store_restored`: empty. */
  readonly reason: string
  /** How long the outage lasted, ms; 0 for `store_lost`. */
  readonly outageMs: number
  /** ms since 1970, on this machine's clock. */
  readonly at: number
}

/** What the script that made a change tells every process, atomically with the change. */
export interface Change {
  readonly providerId: string
  readonly events: readonly ProviderEvent[]
  /** Null when the provider was removed. */
  readonly snapshot: StoredSnapshot | null
}
