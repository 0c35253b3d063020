import type { BreakerSettings } from '../model/settings.js'
import { isSuccess } from '../model/words.js'
import type { Circuit } from './circuit.js'
import { count, failuresBefore } from './counters.js'
import { judged, unannounced, type CircuitRun, type Judged } from './judged.js'
import { open } from './opening.js'
import { noteDoomed } from './outage.js'
import { countCalls, isMature, judgesRates, windowAt, type Rated } from './rate-window.js'
import { findTrip, type Counts } from './trip/index.js'

/**
 * A closed circuit: a failure may open it, as the trip rules say, and so may a degraded call where `degradedRate` is set. The
 * opening makes a new generation. So the rest of the run is of an older one and counts only as failed during the outage.
 */
export function judgeClosed(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  jitterDraw: number,
): Judged {
  const now = circuit.lastNowMs
  const rated = run.origin === 'call' && judgesRates(settings)
  const rateWindow = rated
    ? windowAt(circuit.rateWindow, circuit.generation, now, settings)
    : circuit.rateWindow
  const rating = ratingOf(run)
  const trip =
    rating === 'good'
      ? undefined
      : findTrip(countsBefore({ ...circuit, rateWindow }, run, rating, rated), run.count, settings)
  const taken = trip?.at ?? run.count
  const counted = {
    ...count(circuit, run, taken),
    rateWindow: rated && taken > 0 ? countCalls(rateWindow, rating, taken, now) : rateWindow,
  }
  if (trip === undefined) return unannounced(counted)
  const opened = open(counted, { reason: trip.reason, run }, settings, jitterDraw)
  const late = run.count - trip.at
  const doomed = isSuccess(run.outcome) ? 0 : late
  const outage = noteDoomed(opened.circuit.outage, doomed)
  return judged({ circuit: { ...opened.circuit, outage }, events: opened.events }, late)
}

/** A client error is a call that did not fail. */
function ratingOf({ outcome }: CircuitRun): Rated {
  if (outcome === 'degraded') return 'degraded'
  return isSuccess(outcome) ? 'good' : 'failed'
}

const countsBefore = (circuit: Circuit, run: CircuitRun, bad: Counts['bad'], rated: boolean): Counts => ({
  origin: run.origin,
  bad,
  inARow: failuresBefore(circuit, run),
  window: rated && isMature(circuit.rateWindow, circuit.lastNowMs) ? circuit.rateWindow : undefined,
})
