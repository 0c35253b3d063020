import type { Run } from '../model/ports/store-requests.js'
import type { BreakerSettings } from '../model/settings.js'
import { isCircuitOutcome, isSuccess } from '../model/words.js'
import { bumpVersion, type Circuit } from './circuit.js'

/** Where no number of failures opens the circuit: as many failing batches as the default threshold has failures. */
export const SUSPECT_AT = 3

/**
 * The end of a batch under backpressure. Workers that were asked to wait hold old successes. After the provider has
 * died, the first batch of each of them ends the run of failures, so the trip rules would see the outage late.
 *
 * Batches in a row that end in a failure are counted instead. At `failureThreshold` of them the version grows, once.
 * Every worker whose failures are urgent then sends what it holds, and later batches hold nothing but failures. It is
 * no transition, and decides nothing.
 */
export function suspectOutage(circuit: Circuit, last: Run, settings: BreakerSettings): Circuit {
  const counts =
    circuit.phase.state === 'closed' && last.origin === 'call' && last.generation === circuit.generation
  if (!counts || !isCircuitOutcome(last.outcome)) return circuit
  if (isSuccess(last.outcome)) return { ...circuit, failingBatches: 0 }
  const next = { ...circuit, failingBatches: circuit.failingBatches + 1 }
  return next.failingBatches === (settings.failureThreshold ?? SUSPECT_AT) ? bumpVersion(next) : next
}
