import { bumpVersion, transition, type Circuit, type Phase, type Step } from './circuit.js'

/** Trials that still hold their slot: a lease ends at its deadline. Tokens map to deadlines, ms. */
export function liveTrials(phase: Phase, nowMs: number): ReadonlyMap<string, number> {
  if (phase.state !== 'half_open') return new Map()
  return new Map([...phase.trials].filter(([, deadlineMs]) => deadlineMs > nowMs))
}

/** Every batch drops the leases that ended: nothing else would, and the circuit would keep them for ever. */
export const dropExpiredTrials = (circuit: Circuit): Circuit =>
  circuit.phase.state === 'half_open'
    ? { ...circuit, phase: { ...circuit.phase, trials: liveTrials(circuit.phase, circuit.lastNowMs) } }
    : circuit

/** A trial ended without a transition. The version grows, so that workers that wait for a slot learn that one is free. */
export function freeSlot(circuit: Circuit, token: string): Step {
  if (circuit.phase.state !== 'half_open' || !circuit.phase.trials.has(token)) return { circuit, events: [] }
  const trials = new Map(circuit.phase.trials)
  trials.delete(token)
  return { circuit: bumpVersion({ ...circuit, phase: { ...circuit.phase, trials } }), events: [] }
}

/** Stores the step from open to half-open once its time has come; nothing when it is stored already. */
export function enterHalfOpen(circuit: Circuit): Step {
  if (circuit.phase.state !== 'open') return { circuit, events: [] }
  const phase = {
    state: 'half_open' as const,
    openedAtMs: circuit.phase.openedAtMs,
    trials: new Map<string, number>(),
  }
  return transition(circuit, 'half_opened', { phase, reason: 'cooldown over' })
}
