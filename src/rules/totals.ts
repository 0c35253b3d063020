import type { CircuitState } from '../model/words.js'

/** The kinds of events that are transitions of the circuit. */
export type TransitionKind = 'opened' | 'half_opened' | 'closed' | 'reset'

/** Transitions since registration, by kind, and how long the circuit was not closed, ms, up to the last of them. */
export type Totals = Readonly<Record<TransitionKind, number>> & { readonly openMs: number }

export const NO_TOTALS: Totals = { opened: 0, half_opened: 0, closed: 0, reset: 0, openMs: 0 }

/** What of a circuit it is about. */
interface Counted {
  readonly totals: Totals
  readonly phase: { readonly state: CircuitState }
  /** When the phase last changed, ms. */
  readonly stateSinceMs: number
}

/** How long the circuit was open or half-open since registration, ms. */
export const openMs = ({ totals, phase, stateSinceMs }: Counted, now: number): number =>
  totals.openMs + (phase.state === 'closed' ? 0 : now - stateSinceMs)

/** The totals once a transition has been made. `circuit`: as it was before. */
export function afterTransition(circuit: Counted, kind: TransitionKind, now: number): Totals {
  const { totals } = circuit
  return { ...totals, [kind]: totals[kind] + 1, openMs: openMs(circuit, now) }
}
