import type { Run } from '../model/ports/store-requests.js'
import { bumpVersion, type Circuit, type Step } from './circuit.js'
import { freeSlot } from './trials.js'

/** A pause that the provider asked for. It may grow, never shrink. */
export function throttle(circuit: Circuit, run: Run): Step {
  const freed = freeSlot(circuit, run.token).circuit
  const untilMs = circuit.lastNowMs + run.retryAfterMs
  if (untilMs <= circuit.throttledUntilMs) return { circuit: freed, events: [] }
  const next = bumpVersion({ ...freed, throttledUntilMs: untilMs })
  const event = {
    kind: 'throttled' as const,
    from: '',
    to: 'throttled',
    reason: `the provider asked for a pause of ${run.retryAfterMs} ms`,
    actor: '',
    generation: next.generation,
    version: next.version,
  }
  return { circuit: next, events: [event] }
}
