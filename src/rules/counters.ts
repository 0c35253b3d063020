import type { Run } from '../model/ports/store-requests.js'
import { isSuccess } from '../model/words.js'
import type { Circuit } from './circuit.js'
import { withoutRuns } from './domains.js'
import type { CircuitRun } from './judged.js'

/** Failures in a row before the run. Calls and probes are counted apart: a call that succeeds says nothing of the probes. */
export const failuresBefore = (circuit: Circuit, { origin }: Run): number =>
  origin === 'probe' ? circuit.probeConsecutiveFailures : circuit.consecutiveFailures

/** Moves the counters by `n` outcomes of the run, and nothing else. */
export function count(circuit: Circuit, run: CircuitRun, n: number): Circuit {
  const success = isSuccess(run.outcome)
  const failures = success ? 0 : failuresBefore(circuit, run) + n
  const consecutiveSuccesses = success ? circuit.consecutiveSuccesses : 0
  return run.origin === 'probe'
    ? { ...circuit, probeConsecutiveFailures: failures, consecutiveSuccesses }
    : { ...circuit, consecutiveFailures: failures, consecutiveSuccesses }
}

/**
 * After an outage of the whole fleet, failures from before do not add up with failures from after: both counts begin
 * at 0. If other processes wrote since `lostAtMs`, when the caller lost the store, only the caller was cut off. The
 * counts then stay.
 */
export function forgetFailuresBefore(lostAtMs: number, circuit: Circuit, writtenAtMs: number): Circuit {
  if (writtenAtMs >= lostAtMs) return circuit
  return {
    ...circuit,
    consecutiveFailures: 0,
    probeConsecutiveFailures: 0,
    failingBatches: 0,
    domains: withoutRuns(circuit.domains),
  }
}
