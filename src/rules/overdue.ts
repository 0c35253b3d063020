import type { OverdueRequest } from '../model/ports/store-requests.js'
import { bumpVersion, type Circuit, type Step } from './circuit.js'
import { endsProbes } from './probe-interval.js'

/**
 * Since when a result is awaited: since the last result, or since other results were asked for. A pause and a mark that
 * ends the probes count as waiting for nothing. The time may therefore lie ahead.
 */
export function probeAwaitedSince(circuit: Circuit): number {
  const { probeAwaitedSinceMs, lastProbe, throttledUntilMs, mark } = circuit
  const markedUntilMs = endsProbes(mark?.mark ?? null) ? (mark?.untilMs ?? 0) : 0
  return Math.max(probeAwaitedSinceMs, lastProbe?.atMs ?? 0, throttledUntilMs, markedUntilMs)
}

/** Announces the silence of the probes, once, if it has lasted so long. `probed`: whether a probe is configured. */
export function overdue(
  circuit: Circuit,
  probed: boolean,
  { overdueMs, intervalMs }: Pick<OverdueRequest, 'overdueMs' | 'intervalMs'>,
): Step {
  const silentMs = circuit.lastNowMs - probeAwaitedSince(circuit)
  const wanted = probed && !endsProbes(circuit.mark?.mark ?? null)
  if (!wanted || circuit.probeOverdueAtMs !== null || silentMs < overdueMs) return { circuit, events: [] }
  const next = { ...bumpVersion(circuit), probeOverdueAtMs: circuit.lastNowMs }
  const { generation, version } = next
  const reason = `no probe result for ${durationText(silentMs)}, every ${durationText(intervalMs)} is wanted`
  const event = {
    kind: 'probe_overdue' as const,
    from: '',
    to: 'overdue',
    reason,
    actor: '',
    generation,
    version,
  }
  return { circuit: next, events: [event] }
}

/** `31s`; to the ms where seconds would say too little. */
const durationText = (ms: number): string =>
  ms < 10_000 && ms % 1_000 !== 0 ? `${ms}ms` : `${Math.floor(ms / 1_000)}s`
