import type { BreakerSettings } from '../model/settings.js'
import { isSuccess } from '../model/words.js'
import type { Circuit } from './circuit.js'
import { count, failuresBefore } from './counters.js'
import type { WindowCounts } from './history.js'
import { judged, unannounced, type CircuitRun, type Judged } from './judged.js'
import { open } from './opening.js'
import { noteDoomed } from './outage.js'
import { findTrip } from './trip/index.js'

/** The other inputs of a decision, beside the circuit and its settings. */
export interface Chance {
  /** The history, with all that came before the run. */
  readonly window: WindowCounts
  /** 0 to 1: the draw behind `cooldownJitter`. */
  readonly jitterDraw: number
}

/**
 * A closed circuit: a failure may open it, as the trip rules say. The opening makes a new generation. So the rest of
 * the run is of an older one and counts only as failed during the outage.
 */
export function judgeClosed(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  { window, jitterDraw }: Chance,
): Judged {
  if (isSuccess(run.outcome)) return unannounced(count(circuit, run, run.count))
  const counts = {
    origin: run.origin,
    inARow: failuresBefore(circuit, run),
    windowTotal: window.total,
    windowFailed: window.failed,
  }
  const trip = findTrip(counts, run.count, settings)
  if (trip === undefined) return unannounced(count(circuit, run, run.count))
  const counted = count(circuit, run, trip.at)
  const opened = open(counted, { reason: trip.reason, run }, settings, jitterDraw)
  const outdated = run.count - trip.at
  const outage = noteDoomed(opened.circuit.outage, outdated)
  return judged({ circuit: { ...opened.circuit, outage }, events: opened.events }, outdated)
}
