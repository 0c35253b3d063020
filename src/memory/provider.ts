import { isDeepStrictEqual } from 'node:util'
import type { ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { Settings } from '../model/settings.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { Circuit, RuleEvent, Step } from '../rules/circuit.js'
import { viewRecent } from '../rules/recent-calls.js'
import { advanceClock, peekClock } from '../rules/clock.js'
import { newHistory, view, type HistoryLog } from '../rules/history.js'
import { expireMark } from '../rules/marks.js'
import { probeAwaitedSince } from '../rules/overdue.js'
import { presentCircuit } from '../rules/circuit-view.js'
import type { Replaced } from '../rules/alternation.js'

/** One provider of the memory store: state, and what happened to it. */
export interface MemoryProvider {
  circuit: Circuit
  settings: Settings
  revision: number
  setBy: string
  setAt: number
  pinned: boolean
  /** Of the last change by code; null where an operator made it, or there was none. */
  replaced: Replaced | null
  readonly history: HistoryLog
  readonly events: ProviderEvent[]
  /** Those that ended. */
  readonly outages: Outage[]
  /** Last applied sequence per incarnation. */
  readonly batches: Map<string, number>
}

/** The stream in Redis is capped at about as many. */
const MAX_EVENTS = 1_000
const MAX_OUTAGES = 100

export const newProvider = (
  circuit: Circuit,
  settings: Settings,
  revision: number,
  setBy: string,
  pinned = false,
): MemoryProvider => ({
  circuit,
  settings,
  revision,
  setBy,
  setAt: circuit.lastNowMs,
  pinned,
  replaced: null,
  history: newHistory(),
  events: [],
  outages: [],
  batches: new Map(),
})

/** The circuit as a writing operation finds it: on time, and without a mark that has ended. */
export function begin(provider: MemoryProvider, readingMs: number): Step {
  return expireMark({ ...provider.circuit, ...advanceClock(provider.circuit, readingMs) })
}

/** Two steps, one after the other. */
export const andThen = (first: Step, second: Step): Step => ({
  circuit: second.circuit,
  events: [...first.events, ...second.events],
})

export function stamp(id: string, worker: string, at: number, events: readonly RuleEvent[]): ProviderEvent[] {
  // The rules keep `from` and `to` to what their kind goes from and to; a test of the contract holds both stores to it.
  return events.map(
    ({ kind, from, to, reason, actor, generation, version }) =>
      ({ kind, from, to, reason, actor, generation, version, providerId: id, worker, at }) as ProviderEvent,
  )
}

export function keepEvents(provider: MemoryProvider, events: readonly ProviderEvent[]): void {
  provider.events.push(...events)
  provider.events.splice(0, provider.events.length - MAX_EVENTS)
}

export function keepOutages(provider: MemoryProvider, events: readonly RuleEvent[]): void {
  provider.outages.push(...events.flatMap(({ outage }) => outage ?? []))
  provider.outages.splice(0, provider.outages.length - MAX_OUTAGES)
}

/**
 * What is kept of a circuit after an operation. One that changed nothing but the time, while no deadline waits for
 * it, leaves the time alone too: in Redis it writes nothing.
 */
export function settle(before: Circuit, after: Circuit): Circuit {
  if (awaitsDeadline(after)) return after
  const same = isDeepStrictEqual({ ...before, lastNowMs: 0 }, { ...after, lastNowMs: 0 })
  return same ? { ...after, lastNowMs: before.lastNowMs } : after
}

const awaitsDeadline = ({ phase, throttledUntilMs, lastNowMs, mark }: Circuit): boolean =>
  phase.state !== 'closed' || throttledUntilMs > lastNowMs || (mark !== null && mark.untilMs !== null)

export function snapshotOf(id: string, provider: MemoryProvider, readingMs: number): StoredSnapshot {
  const { circuit, settings, revision } = provider
  const now = peekClock(circuit, readingMs)
  const history = view(provider.history, now, settings.history)
  const shown = presentCircuit(circuit, now)
  const clientErrors = viewRecent(circuit.clientErrors, now, settings.history.windowMs)
  const ignored = viewRecent(circuit.ignored, now, settings.history.windowMs)
  // Written out, not spread: it is most of what an operation of this store costs.
  return {
    state: shown.state,
    stateSince: shown.stateSince,
    generation: shown.generation,
    version: shown.version,
    consecutiveFailures: shown.consecutiveFailures,
    probeConsecutiveFailures: shown.probeConsecutiveFailures,
    consecutiveSuccesses: shown.consecutiveSuccesses,
    openedAt: shown.openedAt,
    retryAfterMs: shown.retryAfterMs,
    cooldownMs: shown.cooldownMs,
    reason: shown.reason,
    trials: shown.trials,
    trialFreeInMs: shown.trialFreeInMs,
    throttledForMs: shown.throttledForMs,
    outageSince: shown.outageSince,
    outageReason: shown.outageReason,
    outageBy: shown.outageBy,
    outageTrials: shown.outageTrials,
    outageDoomed: shown.outageDoomed,
    mark: shown.mark,
    markReason: shown.markReason,
    markActor: shown.markActor,
    markForMs: shown.markForMs,
    markEnded: shown.markEnded,
    id,
    settingsRevision: revision,
    enforce: settings.breaker.enforce,
    markVersion: circuit.markVersion,
    historyTotal: history.total,
    historyHealthy: history.healthy,
    historyFailed: history.failed,
    windowCoveredMs: history.windowCoveredMs,
    clientErrors: clientErrors.count,
    lastClientError: clientErrors.last,
    ignored: ignored.count,
    lastIgnored: ignored.last,
    failingBatches: circuit.failingBatches,
    applied: circuit.applied,
    lastProbeStatus: circuit.lastProbe?.status ?? null,
    lastProbeDetail: circuit.lastProbe?.detail ?? '',
    lastProbeAt: circuit.lastProbe?.atMs ?? null,
    probeAwaitedSince: probeAwaitedSince(circuit),
    probeOverdueAt: circuit.probeOverdueAtMs,
    probeStartedAt: circuit.probeStartedAtMs,
    heartbeatAt: circuit.heartbeat?.atMs ?? null,
    heartbeatProgress: circuit.heartbeat?.progress ?? null,
    heartbeatProgressAt: circuit.heartbeat?.progressAtMs ?? null,
    at: now,
  }
}
