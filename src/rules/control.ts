import type { ControlRequest, TripRequest } from '../model/ports/store-requests.js'
import { clearSuspects } from './doubt.js'
import { transition, type Circuit, type Step } from './circuit.js'
import { endRamp } from './ramp.js'

/** Why an operator does it, and who the operator is. */
export type ByOperator = Pick<ControlRequest, 'reason' | 'actor'>

/** Closed, all counters 0, no pause: as if nothing had happened. Marks stay. */
export function reset(circuit: Circuit, { reason, actor }: ByOperator): Step {
  const cleared = clearSuspects(circuit, () => true, 'was reset')
  const step = transition(
    cleared.circuit,
    'reset',
    {
      phase: { state: 'closed' },
      reason: reason === '' ? 'reset' : reason,
      consecutiveFailures: 0,
      probeConsecutiveFailures: 0,
      cooldownMs: 0,
      rampUntilMs: 0,
      throttledUntilMs: 0,
    },
    actor,
  )
  return { circuit: step.circuit, events: [...cleared.events, ...step.events] }
}

/** Open by hand. Replaces any deadline; with `forMs` null only a reset ends it. */
export function trip(
  circuit: Circuit,
  { reason, actor, forMs }: ByOperator & Pick<TripRequest, 'forMs'>,
): Step {
  const now = circuit.lastNowMs
  const retryAtMs = forMs === null ? null : now + forMs
  const phase = { state: 'open' as const, openedAtMs: now, retryAtMs }
  return transition(endRamp(circuit), 'opened', { phase, reason: reason === '' ? 'tripped' : reason }, actor)
}
