import { isDeepStrictEqual } from 'node:util'
import type { ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { Settings } from '../model/settings.js'
import type { Replaced } from '../rules/alternation.js'
import type { Circuit, RuleEvent, Step } from '../rules/circuit.js'
import { advanceClock } from '../rules/clock.js'
import { newHistory, type HistoryLog } from '../rules/history.js'
import { expireMark } from '../rules/marks.js'
import type { WorkerTallies } from '../rules/worker-tallies.js'

/** One provider of the memory store: its state, its history and its events. */
export interface MemoryProvider {
  readonly id: string
  readonly registeredAt: number
  circuit: Circuit
  settings: Settings
  revision: number
  setBy: string
  setAt: number
  pinned: boolean
  /** Of the last change by code; null where an operator made it, or there was none. */
  replaced: Replaced | null
  /** Of a member of a family: how long it stays without a use, and until when; null: it never leaves by itself. */
  idle: { readonly ms: number; readonly atMs: number } | null
  readonly history: HistoryLog
  readonly events: ProviderEvent[]
  /** Outages that ended. */
  readonly outages: Outage[]
  /** Last applied sequence per incarnation. */
  readonly batches: Map<string, number>
  /** Calls by worker, while somebody looks at them. */
  readonly workers: WorkerTallies
}

/** The stream in Redis is capped at about as many. */
const MAX_EVENTS = 1_000
const MAX_OUTAGES = 100

export type NewProvider = Pick<
  MemoryProvider,
  'id' | 'circuit' | 'settings' | 'revision' | 'setBy' | 'pinned'
>

export const newProvider = (given: NewProvider): MemoryProvider => ({
  ...given,
  registeredAt: given.circuit.lastNowMs,
  setAt: given.circuit.lastNowMs,
  replaced: null,
  idle: null,
  history: newHistory(),
  events: [],
  outages: [],
  batches: new Map(),
  workers: new Map(),
})

/** A change before it is committed, and the part of the reply that is the operation's own. */
export interface Written<T> {
  readonly step: Step
  readonly extra: T
}

/** The circuit at the present time. Its clock never goes back, even when the reading does. */
export const atPresent = ({ circuit }: MemoryProvider, readingMs: number): Circuit => ({
  ...circuit,
  ...advanceClock(circuit, readingMs),
})

/** The circuit at the begin of a writing operation: at the present time, and without a mark that has ended. */
export const begin = (provider: MemoryProvider, readingMs: number): Step =>
  expireMark(atPresent(provider, readingMs))

/** Two steps, one after the other. */
export const andThen = (first: Step, second: Step): Step => ({
  circuit: second.circuit,
  events: [...first.events, ...second.events],
})

export function stamp(
  { id }: MemoryProvider,
  worker: string,
  { circuit, events }: Step,
): readonly ProviderEvent[] {
  // The rules keep `from` and `to` to the states of the event's kind; a test of the contract holds both stores to it.
  const at = circuit.lastNowMs
  return events.map(
    ({ kind, from, to, reason, actor, generation, version }) =>
      ({ kind, from, to, reason, actor, generation, version, providerId: id, worker, at }) as ProviderEvent,
  )
}

/** Stores a step, and the events that were made of it. */
export function keep(provider: MemoryProvider, step: Step, events: readonly ProviderEvent[]): void {
  provider.circuit = settle(provider.circuit, step.circuit)
  provider.events.push(...events)
  provider.events.splice(0, provider.events.length - MAX_EVENTS)
  provider.outages.push(...step.events.flatMap(({ outage }: RuleEvent) => outage ?? []))
  provider.outages.splice(0, provider.outages.length - MAX_OUTAGES)
}

/**
 * The circuit as it is kept after an operation. If nothing but the time has changed, and no deadline waits for it, the
 * old time is kept: in Redis such an operation writes nothing, and both stores must have the same time.
 */
function settle(before: Circuit, after: Circuit): Circuit {
  if (awaitsDeadline(after)) return after
  const same = isDeepStrictEqual({ ...before, lastNowMs: 0 }, { ...after, lastNowMs: 0 })
  return same ? { ...after, lastNowMs: before.lastNowMs } : after
}

const awaitsDeadline = ({ phase, throttledUntilMs, lastNowMs, mark }: Circuit): boolean =>
  phase.state !== 'closed' || throttledUntilMs > lastNowMs || (mark !== null && mark.untilMs !== null)
