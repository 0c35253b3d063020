import type { EventKind } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import type { CircuitState, HealthStatus, Mark } from '../model/words.js'
import { NO_RECENT_CALLS, type RecentCalls } from './recent-calls.js'
import { NO_TREND, type ProbeTrend } from './hysteresis.js'
import { endOutage, noteOpening, type OutageState } from './outage.js'
import type { ClockState } from './clock.js'

/** A state carries only its own data. Tokens of trials map to the ms at which their leases end. */
export type Phase =
  | { readonly state: 'closed' }
  | { readonly state: 'open'; readonly openedAtMs: number; readonly retryAtMs: number | null }
  | { readonly state: 'half_open'; readonly openedAtMs: number; readonly trials: ReadonlyMap<string, number> }

export interface MarkState {
  readonly mark: Mark
  readonly reason: string
  readonly actor: string
  /** Null: until somebody resumes. */
  readonly untilMs: number | null
}

export interface LastProbe {
  readonly status: HealthStatus
  readonly detail: string
  readonly atMs: number
}

/** When the provider last reported by itself, and when its progress, if it says any, last changed. */
export interface Heartbeat {
  readonly atMs: number
  readonly progress: number | null
  readonly progressAtMs: number
}

/** All that is remembered of one provider beside its history. */
export interface Circuit extends ClockState {
  readonly phase: Phase
  /** When it was last changed, ms. */
  readonly stateSinceMs: number
  readonly generation: number
  readonly version: number
  readonly consecutiveFailures: number
  readonly probeConsecutiveFailures: number
  readonly consecutiveSuccesses: number
  /** Without its jitter; 0 until an automatic opening, and again after closing. */
  readonly cooldownMs: number
  /** In a few words; see `reasonText`. */
  readonly reason: string
  /** The outcome that opened it, in words; empty unless an outcome did. */
  readonly lastFailure: string
  readonly throttledUntilMs: number
  readonly mark: MarkState | null
  readonly markVersion: number
  readonly applied: number
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
  /** Batches in a row whose last outcome was a failure; see `suspect`. */
  readonly failingBatches: number
  /** See `nextSlot`. */
  readonly nextSlotUs: number
}

export interface RuleEvent {
  readonly kind: EventKind
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly actor: string
  readonly generation: number
  readonly version: number
  /** The outage that it ended. */
  readonly outage?: Outage
}

/** A circuit after a decision, and what is to be announced, in order. */
export interface Step {
  readonly circuit: Circuit
  readonly events: readonly RuleEvent[]
}

/** A circuit nobody has used. Numbers start at the clock, so that they never repeat, even after a wipe. */
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
    reason: 'registered',
    lastFailure: '',
    throttledUntilMs: 0,
    mark: null,
    markVersion: 0,
    applied: 0,
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
    nextSlotUs: 0,
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

/** What a failed trial gives as its reason. */
export const TRIAL_FAILED = 'trial failed'

/** Why the circuit is as it is, in words. Two parts, because what Redis keeps of each is short. */
export function reasonText({ reason, lastFailure }: Pick<Circuit, 'reason' | 'lastFailure'>): string {
  if (lastFailure === '') return reason
  return `${reason}${reason === TRIAL_FAILED ? ': ' : ', last: '}${lastFailure}`
}

/** The mark as every reader sees it: from its end on there is none. */
export const markAt = (mark: MarkState | null, nowMs: number): MarkState | null =>
  mark !== null && mark.untilMs !== null && nowMs >= mark.untilMs ? null : mark

/** What is asked for changed: the wait begins anew, and an announced silence is over. */
export const awaitProbe = (circuit: Circuit, sinceMs: number): Circuit => ({
  ...circuit,
  probeAwaitedSinceMs: Math.max(circuit.probeAwaitedSinceMs, sinceMs),
  probeOverdueAtMs: null,
})

/** Trials that still hold their slot: a lease ends at its deadline. */
export function liveTrials(phase: Phase, nowMs: number): ReadonlyMap<string, number> {
  if (phase.state !== 'half_open') return new Map()
  return new Map([...phase.trials].filter(([, deadlineMs]) => deadlineMs > nowMs))
}

/** Leases that ended are forgotten by whatever writes next. */
export const dropExpiredTrials = (circuit: Circuit): Circuit =>
  circuit.phase.state === 'half_open'
    ? { ...circuit, phase: { ...circuit.phase, trials: liveTrials(circuit.phase, circuit.lastNowMs) } }
    : circuit

/** Something that workers must know changed without a transition. */
export const bumpVersion = (circuit: Circuit): Circuit => ({
  ...circuit,
  version: nextNumber(circuit.version, circuit.lastNowMs),
})

/** The one way a circuit changes its phase: one generation, one version, one event. */
export function transition(
  circuit: Circuit,
  kind: EventKind,
  change: Pick<Circuit, 'phase' | 'reason'> & Partial<Circuit>,
  actor = '',
): Step {
  const now = circuit.lastNowMs
  const next = {
    ...circuit,
    consecutiveSuccesses: 0,
    failingBatches: 0,
    lastFailure: '',
    ...change,
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
  switch (next.phase.state) {
    case 'open': {
      const by = next.lastFailure === '' ? 'hand' : 'rule'
      const opening = { from: event.from, reason: event.reason, by, atMs: now } as const
      return { circuit: { ...next, outage: noteOpening(circuit.outage, opening) }, events: [event] }
    }
    case 'half_open':
      return { circuit: next, events: [event] }
    case 'closed': {
      const ended = circuit.outage === null ? {} : { outage: endOutage(circuit.outage, now) }
      return { circuit: { ...next, outage: null }, events: [{ ...event, ...ended }] }
    }
    default:
      return next.phase satisfies never
  }
}

/** Stores the step from open to half-open once its time has come; nothing when it is stored already. */
export function enterHalfOpen(circuit: Circuit): Step {
  if (circuit.phase.state !== 'open') return { circuit, events: [] }
  const phase = {
    state: 'half_open' as const,
    openedAtMs: circuit.phase.openedAtMs,
    trials: new Map<string, number>(),
  }
  return transition(circuit, 'half_opened', { phase, reason: 'cooldown over' })
}
