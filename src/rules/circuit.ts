import type { EventKind } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { CircuitState, HealthStatus, Mark } from '../model/words.js'
import { afterOutage, NO_DOMAINS, withoutRuns, type Domains } from './domains.js'
import { EMPTY_WINDOW, type RateWindow } from './rate-window.js'
import { NO_RECENT_CALLS, type RecentCalls } from './recent-calls.js'
import { NO_TREND, type ProbeTrend } from './hysteresis.js'
import { afterTransition, NO_TOTALS, type Totals, type TransitionKind } from './totals.js'
import { endOutage, noteOpening, type OutageState } from './outage.js'
import type { ClockState } from './clock.js'

/** A state carries only its own data. The tokens of trials map to the ms at which their leases end. */
export type Phase =
  | { readonly state: 'closed' }
  | { readonly state: 'open'; readonly openedAtMs: number; readonly retryAtMs: number | null }
  | { readonly state: 'half_open'; readonly openedAtMs: number; readonly trials: ReadonlyMap<string, number> }

export interface MarkState {
  readonly mark: Mark
  readonly reason: string
  readonly actor: string
  /** Null: until it is resumed by hand. */
  readonly untilMs: number | null
}

export interface LastProbe {
  readonly status: HealthStatus
  readonly detail: string
  readonly atMs: number
}

/** When the provider last reported by itself, and when the progress that it reports last changed. */
export interface Heartbeat {
  readonly atMs: number
  readonly progress: number | null
  readonly progressAtMs: number
}

/** All that is remembered of one provider beside its history. */
export interface Circuit extends ClockState {
  readonly phase: Phase
  /** When the phase last changed, ms. */
  readonly stateSinceMs: number
  readonly generation: number
  readonly version: number
  readonly consecutiveFailures: number
  readonly probeConsecutiveFailures: number
  readonly consecutiveSuccesses: number
  /** Without its jitter; 0 until an automatic opening, and again after closing or after the ramp that follows it. */
  readonly cooldownMs: number
  /** When the ramp ends, ms; 0: there was none. */
  readonly rampUntilMs: number
  /** In a few words; see `reasonText`. */
  readonly reason: string
  /** The outcome that opened it, in words; empty unless an outcome did. */
  readonly lastFailure: string
  readonly throttledUntilMs: number
  readonly mark: MarkState | null
  readonly markVersion: number
  readonly applied: number
  readonly totals: Totals
  readonly clientErrors: RecentCalls
  readonly ignored: RecentCalls
  /** Null while the circuit is closed. */
  readonly outage: OutageState | null
  readonly lastProbe: LastProbe | null
  readonly probeTrend: ProbeTrend
  /** See `awaitProbe`. */
  readonly probeAwaitedSinceMs: number
  /** When the present silence of the probes was announced; null when it was not. */
  readonly probeOverdueAtMs: number | null
  readonly probeStartedAtMs: number | null
  /** Until when the last probe may still be under way; null once its result has come. */
  readonly probeUntilMs: number | null
  readonly heartbeat: Heartbeat | null
  /** Batches in a row whose last outcome was a failure; see `suspectOutage`. */
  readonly failingBatches: number
  /** Kept only while a rate rule is on. */
  readonly rateWindow: RateWindow
  /** Kept only while a quorum is set. */
  readonly domains: Domains
  /** See `nextSlot`. */
  readonly nextSlotUs: number
  /** Since when, and until when, somebody looks at the calls of each worker, ms; 0: nobody does. */
  readonly viewedSinceMs: number
  readonly viewedUntilMs: number
}

export interface RuleEvent {
  readonly kind: EventKind
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly actor: string
  readonly generation: number
  readonly version: number
  /** The outage that the event ended. */
  readonly outage?: Outage
}

/** A circuit after a decision, and what is to be announced, in order. */
export interface Step {
  readonly circuit: Circuit
  readonly events: readonly RuleEvent[]
}

/** A circuit before its first outcome. Numbers start at the clock, so that they never repeat, even after a wipe. */
export function newCircuit(nowMs: number, known = { generation: 0, version: 0 }): Circuit {
  return {
    phase: { state: 'closed' },
    stateSinceMs: nowMs,
    generation: nextNumber(known.generation, nowMs),
    version: nextNumber(known.version, nowMs),
    consecutiveFailures: 0,
    probeConsecutiveFailures: 0,
    consecutiveSuccesses: 0,
    cooldownMs: 0,
    rampUntilMs: 0,
    reason: 'registered',
    lastFailure: '',
    throttledUntilMs: 0,
    mark: null,
    markVersion: 0,
    applied: 0,
    totals: NO_TOTALS,
    clientErrors: NO_RECENT_CALLS,
    ignored: NO_RECENT_CALLS,
    outage: null,
    lastProbe: null,
    probeTrend: NO_TREND,
    probeAwaitedSinceMs: nowMs,
    probeOverdueAtMs: null,
    probeStartedAtMs: null,
    probeUntilMs: null,
    heartbeat: null,
    failingBatches: 0,
    rateWindow: EMPTY_WINDOW,
    domains: NO_DOMAINS,
    nextSlotUs: 0,
    viewedSinceMs: 0,
    viewedUntilMs: 0,
    lastNowMs: nowMs,
    clockOffsetMs: 0,
  }
}

/** Generations and versions: one more than before, and never below the clock. */
export const nextNumber = (stored: number, nowMs: number): number => Math.max(stored + 1, nowMs)

/** The state as every reader sees it: at exactly `retryAtMs` and after, an open circuit is half-open. */
export function stateAt(phase: Phase, nowMs: number): CircuitState {
  if (phase.state === 'open' && phase.retryAtMs !== null && nowMs >= phase.retryAtMs) return 'half_open'
  return phase.state
}

/** The reason of an opening by a failed trial. */
export const TRIAL_FAILED = 'trial failed'

/** Why the circuit is as it is, in words. Two parts, because what Redis keeps of each is short. */
export function reasonText({ reason, lastFailure }: Pick<Circuit, 'reason' | 'lastFailure'>): string {
  if (lastFailure === '') return reason
  return `${reason}${reason === TRIAL_FAILED ? ': ' : ', last: '}${lastFailure}`
}

/** The mark as every reader sees it: from its end on there is none. */
export const markAt = (mark: MarkState | null, nowMs: number): MarkState | null =>
  mark !== null && mark.untilMs !== null && nowMs >= mark.untilMs ? null : mark

/** The wait for a probe's result starts over, because other results are asked for now. An announced silence is over. */
export const awaitProbe = (circuit: Circuit, sinceMs: number): Circuit => ({
  ...circuit,
  probeAwaitedSinceMs: Math.max(circuit.probeAwaitedSinceMs, sinceMs),
  probeOverdueAtMs: null,
})

/** Without a transition, workers learn of a change by the version alone: they read the snapshot when it has grown. */
export const bumpVersion = (circuit: Circuit): Circuit => ({
  ...circuit,
  version: nextNumber(circuit.version, circuit.lastNowMs),
})

/** The one way a circuit changes its phase: one generation, one version, one event. */
export function transition(
  circuit: Circuit,
  kind: TransitionKind,
  change: Pick<Circuit, 'phase' | 'reason'> & Partial<Omit<Circuit, 'outage'>>,
  actor = '',
): Step {
  const now = circuit.lastNowMs
  const next = {
    ...circuit,
    consecutiveSuccesses: 0,
    failingBatches: 0,
    lastFailure: '',
    domains: withoutRuns(circuit.domains),
    ...change,
    totals: afterTransition(circuit, kind, now),
    stateSinceMs: now,
    generation: nextNumber(circuit.generation, now),
    version: nextNumber(circuit.version, now),
  }
  const event = {
    kind,
    from: circuit.phase.state,
    to: next.phase.state,
    reason: reasonText(next),
    actor,
    generation: next.generation,
    version: next.version,
  }
  return followOutage(next, event)
}

/** An opening begins the outage, or is one more failed trial of it; a closing ends it, and the event carries it. */
function followOutage(circuit: Circuit, event: RuleEvent & { readonly from: CircuitState }): Step {
  const { phase, lastFailure, outage, lastNowMs: atMs } = circuit
  switch (phase.state) {
    case 'open': {
      const by = lastFailure === '' ? 'hand' : 'rule'
      const opening = { from: event.from, reason: event.reason, by, atMs } as const
      return { circuit: { ...circuit, outage: noteOpening(outage, opening) }, events: [event] }
    }
    case 'half_open':
      return { circuit, events: [event] }
    case 'closed': {
      if (outage === null) return { circuit, events: [event] }
      const domains = afterOutage(circuit.domains, outage.sinceMs, atMs)
      const ended = { ...event, outage: endOutage(outage, atMs) }
      return { circuit: { ...circuit, domains, outage: null }, events: [ended] }
    }
    default:
      return phase satisfies never
  }
}
