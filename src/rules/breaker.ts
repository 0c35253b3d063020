import type { Run } from '../model/ports/store-requests.js'
import type { BreakerSettings } from '../model/settings.js'
import { isHealthStatus, isSuccess } from '../model/words.js'
import { bumpVersion, stateAt, type Circuit } from './circuit.js'
import { judgeClosed, type BatchContext } from './closed.js'
import { count } from './counters.js'
import { judgeHalfOpen } from './half-open.js'
import { follow, type Thresholds } from './hysteresis.js'
import { isCircuitRun, judged, unannounced, type CircuitRun, type Judged } from './judged.js'
import { noteDoomed } from './outage.js'
import { isDisbelieved } from './quorum.js'
import { noteRecent } from './recent-calls.js'
import { throttle } from './throttle.js'
import { freeSlot } from './trials.js'

/** The settings by which an outcome is judged. A probe's result counts only if it began under them. */
export interface ProbePreconditions {
  readonly settingsRevision: number
  readonly breaker: BreakerSettings
  /** The probe's own settings; null when none is configured. */
  readonly probe: Thresholds | null
  /** Of the history, ms: client errors and ignored calls are counted in it. */
  readonly windowMs: number
}

/**
 * Applies one run of equal outcomes, as if they came one by one. O(1) in the length of the run.
 *
 * 1. A probe's result from other settings, or from before a mark, is dropped.
 * 2. The run is noted for people to see, whatever it decides.
 * 3. A run of an older generation decides nothing: the circuit has changed since those calls began.
 * 4. So does one of a suspect: its process fails alone.
 * 5. A pause is kept. An outcome that moves no circuit only gives back its trial.
 * 6. The rest is judged by the state: `closed.ts`, `half-open.ts`; an open circuit only counts.
 */
export function judge(
  circuit: Circuit,
  run: Run,
  preconditions: ProbePreconditions,
  batch: BatchContext,
): Judged {
  const begun = run.origin === 'probe' ? { ...circuit, probeUntilMs: null } : circuit
  if (run.origin === 'probe' && isOutdated(circuit, run, preconditions)) {
    return { ...freeSlot(begun, run.token), late: 0, dropped: true }
  }
  const probed = noteProbe(begun, run, preconditions.probe ?? AT_ONCE)
  const noted = noteRun(probed.circuit, run, preconditions.windowMs)
  if (run.generation !== noted.generation) return unannounced(noted, run.count)
  if (isDisbelieved(noted, batch.reporter, run)) return judged(freeSlot(noted, run.token), run.count)
  if (run.outcome === 'throttled') return judged(throttle(noted, run))
  if (!isCircuitRun(run) || !probed.believed) return judged(freeSlot(noted, run.token))
  return judgeByState(noted, run, preconditions.breaker, batch)
}

function judgeByState(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  batch: BatchContext,
): Judged {
  const state = stateAt(circuit.phase, circuit.lastNowMs)
  switch (state) {
    case 'closed':
      return judgeClosed(circuit, run, settings, batch)
    case 'open':
      return unannounced(count(circuit, run, run.count))
    case 'half_open':
      return judgeHalfOpen(circuit, run, settings, batch)
    default:
      return state satisfies never
  }
}

const isOutdated = (circuit: Circuit, run: Run, { settingsRevision }: ProbePreconditions): boolean =>
  run.settingsRevision !== settingsRevision || run.markVersion !== circuit.markVersion

const AT_ONCE: Thresholds = { healthyAfter: 1, unhealthyAfter: 1 }

/**
 * Notes what is shown of the last probe. `believed`: whether the circuit may judge it, see `follow`. If `probe_overdue`
 * was announced, the version grows, so that every process learns that it is over.
 */
function noteProbe(circuit: Circuit, run: Run, thresholds: Thresholds) {
  if (run.origin !== 'probe' || !isHealthStatus(run.outcome)) return { circuit, believed: true }
  const lastProbe = { status: run.outcome, detail: run.detail, atMs: circuit.lastNowMs }
  const { trend: probeTrend, believed } = follow(circuit.probeTrend, run.outcome, thresholds)
  const current =
    circuit.probeOverdueAtMs === null ? circuit : bumpVersion({ ...circuit, probeOverdueAtMs: null })
  return { circuit: { ...current, lastProbe, probeTrend }, believed }
}

/** Counts the run as applied, and where people look for it: in the outage, or among the calls that enter no history. */
function noteRun(circuit: Circuit, run: Run, windowMs: number): Circuit {
  const { lastNowMs } = circuit
  const applied = circuit.applied + run.count
  if (isHealthStatus(run.outcome)) {
    const outage = isSuccess(run.outcome) ? circuit.outage : noteDoomed(circuit.outage, run.count)
    return { ...circuit, applied, outage }
  }
  if (run.outcome === 'client_error') {
    return { ...circuit, applied, clientErrors: noteRecent(circuit.clientErrors, run, lastNowMs, windowMs) }
  }
  if (run.outcome === 'ignored' && run.origin === 'call') {
    return { ...circuit, applied, ignored: noteRecent(circuit.ignored, run, lastNowMs, windowMs) }
  }
  return { ...circuit, applied }
}
