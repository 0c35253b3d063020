import type { ProviderEvent } from '../../model/events.js'
import type { CircuitState } from '../../model/words.js'
import type { Span } from './buckets.js'

/** A span in which the circuit was in one state. */
export interface CircuitSpan extends Span {
  readonly state: CircuitState
}

const STATE_AFTER: Readonly<Record<string, CircuitState>> = {
  registered: 'closed',
  opened: 'open',
  half_opened: 'half_open',
  closed: 'closed',
  reset: 'closed',
}

const STATES: readonly string[] = ['closed', 'open', 'half_open'] satisfies CircuitState[]

/** States of the circuit in `span`, by its transitions, oldest first. `now`: its state where no transition is known. */
export function circuitSpans(
  events: readonly ProviderEvent[],
  span: Span,
  now: CircuitState,
): readonly CircuitSpan[] {
  const moves = events.flatMap(({ kind, at, from }) => {
    const state = STATE_AFTER[kind]
    return state === undefined ? [] : [{ state, at, before: from }]
  })
  const before = moves[0]?.before
  const first = before !== undefined && STATES.includes(before) ? (before as CircuitState) : undefined
  const spans: CircuitSpan[] = []
  let state = first ?? (moves.length === 0 ? now : 'closed')
  let since = span.from
  const end = (to: number) => {
    if (to > since) spans.push({ state, from: since, to })
    since = Math.max(since, to)
  }
  for (const move of moves) {
    end(Math.min(move.at, span.to))
    state = move.state
  }
  end(span.to)
  return spans
}
