import type { Mark } from '../model/words.js'
import { awaitProbe, bumpVersion, markAt } from './circuit.js'
import type { Circuit, MarkState, Step } from './circuit.js'
import { endsProbes } from './probe-interval.js'

/** Sets a mark; the last one wins. The circuit stays as it is. */
export function setMark(
  circuit: Circuit,
  mark: Mark,
  reason: string,
  actor: string,
  forMs: number | null,
): Step {
  const untilMs = forMs === null ? null : circuit.lastNowMs + forMs
  return change(circuit, 'marked', { mark, reason, actor, untilMs }, reason, actor)
}

/** Clears the mark; nothing when there is none. */
export function clearMark(circuit: Circuit, reason: string, actor: string): Step {
  if (circuit.mark === null) return { circuit, events: [] }
  return change(circuit, 'resumed', null, reason === '' ? 'resumed' : reason, actor)
}

/** What the first writing operation after a mark's end does. */
export function expireMark(circuit: Circuit): Step {
  if (circuit.mark === null || markAt(circuit.mark, circuit.lastNowMs) !== null)
    return { circuit, events: [] }
  return change(circuit, 'resumed', null, 'the mark ended', '')
}

function change(
  circuit: Circuit,
  kind: 'marked' | 'resumed',
  mark: MarkState | null,
  reason: string,
  actor: string,
): Step {
  const bumped = bumpVersion(restart(circuit, mark))
  const next = { ...bumped, mark, markVersion: bumped.version }
  const { generation, version } = next
  const from = circuit.mark?.mark ?? ''
  return { circuit: next, events: [{ kind, from, to: mark?.mark ?? '', reason, actor, generation, version }] }
}

/** A loop of probes that was ended, or begins again, has to be waited for anew. */
function restart(circuit: Circuit, mark: MarkState | null): Circuit {
  if (!endsProbes(circuit.mark?.mark ?? null) && !endsProbes(mark?.mark ?? null)) return circuit
  return awaitProbe(circuit, Math.min(circuit.lastNowMs, circuit.mark?.untilMs ?? circuit.lastNowMs))
}
