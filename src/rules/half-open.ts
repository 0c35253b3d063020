import type { BreakerSettings } from '../model/settings.js'
import { isSuccess } from '../model/words.js'
import { transition, TRIAL_FAILED, type Circuit, type Step } from './circuit.js'
import type { BatchContext } from './closed.js'
import { count } from './counters.js'
import { judged, unannounced, type CircuitRun, type Judged } from './judged.js'
import { open } from './opening.js'
import { beginRamp } from './ramp.js'
import { enterHalfOpen, freeSlot } from './trials.js'

/**
 * A half-open circuit: one failed trial opens it again, `successThreshold` successful ones close it. A probe without
 * a lease ran beside the trials and decides nothing. With `degradedRate` a degraded trial is a failed one: it would close the
 * circuit and open it for ever.
 */
export function judgeHalfOpen(
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  batch: BatchContext,
): Judged {
  if (run.origin === 'probe' && run.token === '') return unannounced(circuit, run.count)
  const entered = enterHalfOpen(circuit)
  const { step, taken } = succeeds(run, settings)
    ? succeed(entered, run, settings)
    : { step: fail(entered.circuit, run, settings, batch), taken: 1 }
  return judged({ circuit: step.circuit, events: [...entered.events, ...step.events] }, run.count - taken)
}

const succeeds = ({ outcome }: CircuitRun, { degradedRate }: BreakerSettings): boolean =>
  isSuccess(outcome) && (outcome !== 'degraded' || degradedRate === undefined)

/** Each opening makes a new generation, so the first failure of a run is the only one that counts. */
const fail = (
  circuit: Circuit,
  run: CircuitRun,
  settings: BreakerSettings,
  { jitterDraw, reporter }: BatchContext,
): Step =>
  open(count(circuit, run, 1), { reason: TRIAL_FAILED, run, domain: reporter?.domain }, settings, jitterDraw)

/** `taken`: how many of the successes counted. */
function succeed(
  { circuit, events }: Step,
  run: CircuitRun,
  settings: BreakerSettings,
): { readonly step: Step; readonly taken: number } {
  // The step to half-open made a new generation: what follows the first outcome of this run is of an older one.
  const eligible = events.length > 0 ? 1 : run.count
  const missing = Math.max(1, settings.successThreshold - circuit.consecutiveSuccesses)
  const taken = Math.min(eligible, missing)
  const consecutiveSuccesses = circuit.consecutiveSuccesses + taken
  const counted = { ...count(circuit, run, taken), consecutiveSuccesses }
  const step = taken === missing ? close(counted, settings) : freeSlot(counted, run.token)
  return { step, taken }
}

/** Closing is trust again: the counts of failures start over, and the cooldown does at once or after the ramp. */
function close(circuit: Circuit, settings: BreakerSettings): Step {
  const { consecutiveSuccesses: successes } = circuit
  return transition(circuit, 'closed', {
    phase: { state: 'closed' },
    reason: `${successes} successful ${successes === 1 ? 'trial' : 'trials'}`,
    consecutiveFailures: 0,
    probeConsecutiveFailures: 0,
    ...beginRamp(circuit, settings),
  })
}
