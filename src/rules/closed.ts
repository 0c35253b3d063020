import type { BreakerSettings } from '../model/settings.js'
import { isSuccess } from '../model/words.js'
import type { Circuit } from './circuit.js'
import { count, failuresBefore } from './counters.js'
import { judged, unannounced, type CircuitRun, type Judged } from './judged.js'
import { open } from './opening.js'
import { noteDoomed } from './outage.js'
import { countCalls, isMature, judgesRates, windowAt, type Rated } from './rate-window.js'
import { BACKED, backing, noteSuccess, witness, type Reporter } from './quorum.js'
import { findTrip, type Counts } from './trip/index.js'

/** The part of a batch that its outcomes are judged by. */
export interface BatchContext {
  /** 0 to 1: the draw behind `cooldownJitter`. */
  readonly jitterDraw: number
  /** Null while no quorum is set. */
  readonly reporter: Reporter | null
}

/**
 * A closed circuit: a failure may open it, as the trip rules say, and so may a degraded call where `degradedRate` is set. The
 * opening makes a new generation. So the rest of the run is of an older one and counts only as failed during the outage.
 */
export function judgeClosed(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  { jitterDraw, reporter }: BatchContext,
): Judged {
  const before = present(circuit, run, settings, reporter)
  const trip = tripOf(before, run, settings, reporter)
  const taken = trip?.at ?? run.count
  const counted = countRun(before, run, taken, settings)
  if (trip === undefined) {
    const good = reporter !== null && isSuccess(run.outcome)
    return good ? judged(noteSuccess(counted, run, reporter)) : unannounced(counted)
  }
  const cause = { reason: trip.reason, run, domain: reporter?.domain }
  const opened = open(counted, cause, settings, jitterDraw)
  const late = run.count - trip.at
  const doomed = isSuccess(run.outcome) ? 0 : late
  const outage = noteDoomed(opened.circuit.outage, doomed)
  return judged({ circuit: { ...opened.circuit, outage }, events: opened.events }, late)
}

const isRated = ({ origin }: CircuitRun, settings: BreakerSettings): boolean =>
  origin === 'call' && judgesRates(settings)

/** The circuit with its window at the present time, and the domain of the run among the witnesses. */
function present(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  reporter: Reporter | null,
): Circuit {
  const { rateWindow, generation, lastNowMs } = circuit
  return {
    ...circuit,
    rateWindow: isRated(run, settings) ? windowAt(rateWindow, generation, lastNowMs, settings) : rateWindow,
    domains: reporter === null ? circuit.domains : witness(circuit, run, reporter, settings),
  }
}

function tripOf(circuit: Circuit, run: CircuitRun, settings: BreakerSettings, reporter: Reporter | null) {
  const bad = ratingOf(run)
  if (bad === 'good') return undefined
  const { rateWindow, lastNowMs } = circuit
  const counts: Counts = {
    origin: run.origin,
    bad,
    inARow: failuresBefore(circuit, run),
    window: isRated(run, settings) && isMature(rateWindow, lastNowMs) ? rateWindow : undefined,
    backing: reporter === null ? BACKED : backing(circuit.domains, run, circuit, settings),
  }
  return findTrip(counts, run.count, settings)
}

function countRun(circuit: Circuit, run: CircuitRun, taken: number, settings: BreakerSettings): Circuit {
  const counted = count(circuit, run, taken)
  if (!isRated(run, settings) || taken === 0) return counted
  return { ...counted, rateWindow: countCalls(counted.rateWindow, ratingOf(run), taken, circuit.lastNowMs) }
}

/** A client error is a call that did not fail. */
function ratingOf({ outcome }: CircuitRun): Rated {
  if (outcome === 'degraded') return 'degraded'
  return isSuccess(outcome) ? 'good' : 'failed'
}
