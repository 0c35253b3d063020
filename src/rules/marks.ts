import type { MarkRequest } from '../model/ports/store-requests.js'
import { awaitProbe, bumpVersion, markAt } from './circuit.js'
import type { Circuit, MarkState, Step } from './circuit.js'
import type { ByOperator } from './control.js'
import { endsProbes } from './probe-interval.js'

/** Sets a mark; the last one wins. The circuit stays as it is. */
export function setMark(circuit: Circuit, request: ByOperator & Pick<MarkRequest, 'mark' | 'forMs'>): Step {
  const { mark, reason, actor, forMs } = request
  const untilMs = forMs === null ? null : circuit.lastNowMs + forMs
  return change(circuit, { mark, reason, actor, untilMs }, request)
}

/** Clears the mark; nothing when there is none. */
export function clearMark(circuit: Circuit, { reason, actor }: ByOperator): Step {
  if (circuit.mark === null) return { circuit, events: [] }
  return change(circuit, null, { reason: reason === '' ? 'resumed' : reason, actor })
}

/** Clears a mark that has ended. Every writing operation begins with it, so the first one announces the end. */
export function expireMark(circuit: Circuit): Step {
  if (circuit.mark === null || markAt(circuit.mark, circuit.lastNowMs) !== null)
    return { circuit, events: [] }
  return change(circuit, null, { reason: 'the mark ended', actor: '' })
}

function change(circuit: Circuit, mark: MarkState | null, { reason, actor }: ByOperator): Step {
  const bumped = bumpVersion(awaitProbeIfPaused(circuit, mark))
  const next = { ...bumped, mark, markVersion: bumped.version }
  const event = {
    kind: mark === null ? ('resumed' as const) : ('marked' as const),
    from: circuit.mark?.mark ?? '',
    to: mark?.mark ?? '',
    reason,
    actor,
    generation: next.generation,
    version: next.version,
  }
  return { circuit: next, events: [event] }
}

/** If the old or the new mark ends the probes, the wait for a result starts over: the pause is no silence. */
function awaitProbeIfPaused(circuit: Circuit, mark: MarkState | null): Circuit {
  if (!endsProbes(circuit.mark?.mark ?? null) && !endsProbes(mark?.mark ?? null)) return circuit
  return awaitProbe(circuit, Math.min(circuit.lastNowMs, circuit.mark?.untilMs ?? circuit.lastNowMs))
}
