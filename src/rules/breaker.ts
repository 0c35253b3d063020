import type { Run } from '../model/ports.js'
import type { BreakerSettings } from '../model/settings.js'
import { isCircuitOutcome, isHealthStatus, isSuccess, type CircuitOutcome } from '../model/words.js'
import { noteRecent } from './recent-calls.js'
import { follow, type Thresholds } from './hysteresis.js'
import { bumpVersion, enterHalfOpen, stateAt, transition, TRIAL_FAILED } from './circuit.js'
import type { Circuit, RuleEvent, Step } from './circuit.js'
import type { WindowCounts } from './history.js'
import { noteDoomed } from './outage.js'
import { findTrip } from './trip/index.js'

/** Any automatic opening: the first cooldown is the base, each further one without a closing grows. */
function open(
  circuit: Circuit,
  { reason, run }: { readonly reason: string; readonly run: CircuitRun },
  settings: BreakerSettings,
  jitterDraw: number,
): Step {
  const now = circuit.lastNowMs
  const cooldownMs = circuit.cooldownMs === 0 ? settings.cooldownMs : grown(circuit.cooldownMs, settings)
  const waitMs = cooldownMs + Math.floor(cooldownMs * settings.cooldownJitter * jitterDraw)
  return transition(circuit, 'opened', {
    phase: { state: 'open', openedAtMs: now, retryAtMs: now + waitMs },
    reason,
    lastFailure: ofRun(run),
    cooldownMs,
  })
}

/** By a whole millisecond at least, where it grows at all: 1 ms times 1.5 would stay 1 for ever. */
function grown(cooldownMs: number, { cooldownMultiplier, maxCooldownMs }: BreakerSettings): number {
  const leastMs = cooldownMultiplier > 1 ? cooldownMs + 1 : cooldownMs
  return Math.min(Math.max(Math.floor(cooldownMs * cooldownMultiplier), leastMs), maxCooldownMs)
}

/** Closing is trust again: every run of failures begins anew, the cooldown too. */
function close(circuit: Circuit, reason: string): Step {
  return transition(circuit, 'closed', {
    phase: { state: 'closed' },
    reason,
    consecutiveFailures: 0,
    probeConsecutiveFailures: 0,
    cooldownMs: 0,
  })
}

export interface Judged extends Step {
  /** How many outcomes of the run bore an older generation, or lacked the lease they needed. */
  readonly late: number
  /** Whether the run was dropped: not even the history takes it. */
  readonly dropped: boolean
}

/** What settings and marks a probe must have begun under for its result to count. */
export interface ProbePreconditions {
  readonly settingsRevision: number
  readonly breaker: BreakerSettings
  /** The probe's own settings; null when none is configured. */
  readonly probe: Thresholds | null
  /** Of the history, ms: client errors and ignored calls are counted in it. */
  readonly windowMs: number
}

/**
 * Applies one run of equal outcomes, as if they came one by one. O(1) in the length of the run. `window`: what is in the
 * history, all that came before the run included.
 */
export function judge(
  circuit: Circuit,
  run: Run,
  fence: ProbePreconditions,
  { window, jitterDraw }: { readonly window: WindowCounts; readonly jitterDraw: number },
): Judged {
  if (run.origin === 'probe') circuit = { ...circuit, probeUntilMs: null }
  if (run.origin === 'probe' && outdated(circuit, run, fence)) {
    return { ...freeSlot(circuit, run.token), late: 0, dropped: true }
  }
  const noted = noteProbe(circuit, run, fence.probe ?? AT_ONCE)
  circuit = { ...noted.circuit, applied: circuit.applied + run.count }
  if (isHealthStatus(run.outcome) && !isSuccess(run.outcome)) {
    circuit = { ...circuit, outage: noteDoomed(circuit.outage, run.count) }
  } else if (run.outcome === 'client_error') {
    const clientErrors = noteRecent(circuit.clientErrors, run, circuit.lastNowMs, fence.windowMs)
    circuit = { ...circuit, clientErrors }
  } else if (run.outcome === 'ignored' && run.origin === 'call') {
    circuit = { ...circuit, ignored: noteRecent(circuit.ignored, run, circuit.lastNowMs, fence.windowMs) }
  }
  const late = run.generation !== circuit.generation
  if (late) return { circuit, events: [], late: run.count, dropped: false }
  if (run.outcome === 'throttled') return { ...throttle(circuit, run), late: 0, dropped: false }
  if (!isCircuitOutcome(run.outcome) || !noted.believed)
    return { ...freeSlot(circuit, run.token), late: 0, dropped: false }
  const state = stateAt(circuit.phase, circuit.lastNowMs)
  if (state === 'half_open' && run.origin === 'probe' && run.token === '') {
    return { circuit, events: [], late: run.count, dropped: false }
  }
  const counted = { ...run, outcome: run.outcome }
  switch (state) {
    case 'closed':
      return judgeClosed(circuit, counted, fence.breaker, { window, jitterDraw })
    case 'open':
      return { circuit: count(circuit, counted, run.count), events: [], late: 0, dropped: false }
    case 'half_open':
      return judgeHalfOpen(circuit, counted, fence.breaker, jitterDraw)
    default:
      return state satisfies never
  }
}

type CircuitRun = Run & { readonly outcome: CircuitOutcome }

const outdated = (circuit: Circuit, run: Run, fence: ProbePreconditions): boolean =>
  run.settingsRevision !== fence.settingsRevision || run.markVersion !== circuit.markVersion

const AT_ONCE: Thresholds = { healthyAfter: 1, unhealthyAfter: 1 }

/**
 * What is shown of the last probe, and whether the circuit may judge it; see `follow`. Who heard that it is overdue hears
 * that it came.
 */
function noteProbe(circuit: Circuit, run: Run, thresholds: Thresholds) {
  if (run.origin !== 'probe' || !isHealthStatus(run.outcome)) return { circuit, believed: true }
  const lastProbe = { status: run.outcome, detail: run.detail, atMs: circuit.lastNowMs }
  const { trend, believed } = follow(circuit.probeTrend, run.outcome, thresholds)
  const told =
    circuit.probeOverdueAtMs === null ? circuit : bumpVersion({ ...circuit, probeOverdueAtMs: null })
  return { circuit: { ...told, lastProbe, probeTrend: trend }, believed }
}

const failuresOf = (circuit: Circuit, run: Run): number =>
  run.origin === 'probe' ? circuit.probeConsecutiveFailures : circuit.consecutiveFailures

/** Moves the counters by `n` outcomes of the run, and nothing else. */
function count(circuit: Circuit, run: CircuitRun, n: number): Circuit {
  const failures = isSuccess(run.outcome) ? 0 : failuresOf(circuit, run) + n
  const own =
    run.origin === 'probe' ? { probeConsecutiveFailures: failures } : { consecutiveFailures: failures }
  return isSuccess(run.outcome) ? { ...circuit, ...own } : { ...circuit, ...own, consecutiveSuccesses: 0 }
}

const ofRun = (run: CircuitRun): string => run.outcome + (run.detail === '' ? '' : ` (${run.detail})`)

function judgeClosed(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  { window, jitterDraw }: { readonly window: WindowCounts; readonly jitterDraw: number },
): Judged {
  const counts = {
    origin: run.origin,
    inARow: failuresOf(circuit, run),
    windowTotal: window.total,
    windowFailed: window.failed,
  }
  const trip = isSuccess(run.outcome) ? undefined : findTrip(counts, run.count, settings)
  if (trip === undefined) {
    return { circuit: count(circuit, run, run.count), events: [], late: 0, dropped: false }
  }
  const counted = count(circuit, run, trip.at)
  const step = open(counted, { reason: trip.reason, run }, settings, jitterDraw)
  const late = run.count - trip.at
  const outage = noteDoomed(step.circuit.outage, late)
  return { ...step, circuit: { ...step.circuit, outage }, late, dropped: false }
}

function judgeHalfOpen(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  jitterDraw: number,
): Judged {
  const entered = enterHalfOpen(circuit)
  // The step to half-open made a new generation: what follows the first outcome of this run bears an older one.
  const eligible = entered.events.length > 0 ? 1 : run.count
  if (!isSuccess(run.outcome)) {
    const counted = count(entered.circuit, run, 1)
    const step = open(counted, { reason: TRIAL_FAILED, run }, settings, jitterDraw)
    return {
      circuit: step.circuit,
      events: [...entered.events, ...step.events],
      late: run.count - 1,
      dropped: false,
    }
  }
  const missing = Math.max(1, settings.successThreshold - entered.circuit.consecutiveSuccesses)
  const n = Math.min(eligible, missing)
  const counted = count(entered.circuit, run, n)
  const succeeded = { ...counted, consecutiveSuccesses: counted.consecutiveSuccesses + n }
  const step =
    n === missing
      ? close(
          succeeded,
          `${succeeded.consecutiveSuccesses} successful ${succeeded.consecutiveSuccesses === 1 ? 'trial' : 'trials'}`,
        )
      : freeSlot(succeeded, run.token)
  return {
    circuit: step.circuit,
    events: [...entered.events, ...step.events],
    late: run.count - n,
    dropped: false,
  }
}

/** A trial ended without a transition: its slot is free, and workers who wait for one must know. */
function freeSlot(circuit: Circuit, token: string): Step {
  if (circuit.phase.state !== 'half_open' || !circuit.phase.trials.has(token)) return { circuit, events: [] }
  const trials = new Map(circuit.phase.trials)
  trials.delete(token)
  return { circuit: bumpVersion({ ...circuit, phase: { ...circuit.phase, trials } }), events: [] }
}

/** A pause that the provider asked for. It may grow, never shrink. */
function throttle(circuit: Circuit, run: Run): Step {
  const freed = freeSlot(circuit, run.token).circuit
  const untilMs = circuit.lastNowMs + run.retryAfterMs
  if (untilMs <= circuit.throttledUntilMs) return { circuit: freed, events: [] }
  const next = bumpVersion({ ...freed, throttledUntilMs: untilMs })
  const { generation, version } = next
  const reason = `the provider asked for a pause of ${run.retryAfterMs} ms`
  const event: RuleEvent = {
    kind: 'throttled',
    from: '',
    to: 'throttled',
    reason,
    actor: '',
    generation,
    version,
  }
  return { circuit: next, events: [event] }
}

/**
 * What the end of a batch says while workers are asked for patience: they hold old successes then, and after the
 * provider has died the first batch of each of them ends the run of failures. When as many batches in a row as the
 * threshold has failures end in a failure, the version grows, once: every worker whose failures are urgent hears of it
 * and sends what it holds, and from then on their batches hold nothing but failures. It is no transition, and decides
 * nothing.
 */
export function suspectOutage(circuit: Circuit, last: Run, settings: BreakerSettings): Circuit {
  const counts =
    circuit.phase.state === 'closed' && last.origin === 'call' && last.generation === circuit.generation
  if (!counts || !isCircuitOutcome(last.outcome)) return circuit
  if (isSuccess(last.outcome)) return { ...circuit, failingBatches: 0 }
  const next = { ...circuit, failingBatches: circuit.failingBatches + 1 }
  return next.failingBatches === settings.failureThreshold ? bumpVersion(next) : next
}

/**
 * After an outage of the whole fleet what failed before does not add up with what fails after it: both runs begin anew.
 * Others who went on meanwhile have written since `lostAtMs`, when the caller lost the store; then they stay.
 */
export function forgetFailuresBefore(lostAtMs: number, circuit: Circuit, writtenAtMs: number): Circuit {
  if (writtenAtMs >= lostAtMs) return circuit
  return { ...circuit, consecutiveFailures: 0, probeConsecutiveFailures: 0, failingBatches: 0 }
}

/** Closed, all counters 0, no pause: as if nothing had happened. Marks stay. */
export function reset(circuit: Circuit, reason: string, actor: string): Step {
  return transition(
    circuit,
    'reset',
    {
      phase: { state: 'closed' },
      reason: reason === '' ? 'reset' : reason,
      consecutiveFailures: 0,
      probeConsecutiveFailures: 0,
      cooldownMs: 0,
      throttledUntilMs: 0,
    },
    actor,
  )
}

/** Open by hand. Replaces any deadline; with `forMs` null only a reset ends it. */
export function trip(circuit: Circuit, reason: string, actor: string, forMs: number | null): Step {
  const now = circuit.lastNowMs
  const retryAtMs = forMs === null ? null : now + forMs
  const phase = { state: 'open' as const, openedAtMs: now, retryAtMs }
  return transition(circuit, 'opened', { phase, reason: reason === '' ? 'tripped' : reason }, actor)
}
