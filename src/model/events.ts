import type { StoredSnapshot } from './snapshot.js'
import type { CircuitState, Mark } from './words.js'

/** The kinds of events of a provider. One event per transition, however many processes raced for it. */
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
  'worker_suspected',
  'worker_cleared',
  'settings_changed',
  'removed',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/**
 * The values of `from` and `to` by kind: a state of the circuit, a mark, or settings as text (`cooldownMs=1000 slowMs=-`).
 * Empty where there was, or is, none.
 */
export interface EventChanges {
  registered: Changes<'', CircuitState>
  /** From `open` when an operator trips an open circuit again. */
  opened: Changes<CircuitState, 'open'>
  half_opened: Changes<'open', 'half_open'>
  closed: Changes<'half_open', 'closed'>
  reset: Changes<CircuitState, 'closed'>
  /** From the mark that it replaces. */
  marked: Changes<Mark | '', Mark>
  resumed: Changes<Mark, ''>
  throttled: Changes<'', 'throttled'>
  probe_overdue: Changes<'', 'overdue'>
  /** To the worker that fails alone; the reason says where, what it saw and who disagrees. */
  worker_suspected: Changes<'', string>
  /** From the last suspect of its failure domain. */
  worker_cleared: Changes<string, ''>
  settings_changed: Changes<string, string>
  removed: Changes<CircuitState, ''>
}

interface Changes<From extends string, To extends string> {
  readonly from: From
  readonly to: To
}

/** The fields of every event of a provider. */
export interface EventFields {
  readonly providerId: string
  readonly reason: string
  readonly generation: number
  readonly version: number
  /** The process whose script made the transition. */
  readonly worker: string
  /** The operator or program that asked for it; empty when none did. */
  readonly actor: string
  /** Redis ms. */
  readonly at: number
}

/** The event of one kind: `EventOf<'opened'>`. */
export type EventOf<K extends EventKind> = K extends EventKind
  ? { readonly kind: K } & EventChanges[K] & EventFields
  : never

/**
 * An event of a provider; `kind` says what `from` and `to` are. Events of a later version come as they were written, so
 * the kind may be none of `EVENT_KINDS`.
 */
export type ProviderEvent = EventOf<EventKind>

/** The kinds of events about this process's connection to Redis. Emitted in this process alone; no stream holds them. */
export const STORE_EVENT_KINDS = ['store_lost', 'store_restored'] as const
export type StoreEventKind = (typeof STORE_EVENT_KINDS)[number]

export interface StoreLostEvent {
  readonly kind: 'store_lost'
  /** The command or check without an answer, in words. */
  readonly reason: string
  readonly outageMs: 0
  /** ms since 1970, on this machine's clock. */
  readonly at: number
}

export interface StoreRestoredEvent {
  readonly kind: 'store_restored'
  readonly reason: ''
  /** How long the outage lasted, ms. */
  readonly outageMs: number
  /** ms since 1970, on this machine's clock. */
  readonly at: number
}

export type StoreEvent = StoreLostEvent | StoreRestoredEvent

/** Every kind that `busbar.on()` takes. */
export type AnyKind = EventKind | StoreEventKind

/** The event that a listener of this kind is given. */
export type AnyEventOf<K extends AnyKind> = Extract<ProviderEvent | StoreEvent, { readonly kind: K }>

/** The message of a change to every process. The script that made the change emits it, atomically with the change. */
export interface Change {
  readonly providerId: string
  readonly events: readonly ProviderEvent[]
  /** Null when the provider was removed. */
  readonly snapshot: StoredSnapshot | null
}
