import type { AdmitRequest, AdmitResult } from '../model/ports.js'
import type { BreakerSettings } from '../model/settings.js'
import type { RefusalCode } from '../model/words.js'
import { enterHalfOpen, liveTrials, markAt, reasonText, stateAt } from './circuit.js'
import type { Circuit, Step } from './circuit.js'
import { leftToProbesMs } from './recovery.js'

/** A blocking condition and when it ends; null: nobody knows. */
interface Block {
  readonly code: RefusalCode
  readonly reason: string
  readonly untilMs: number | null
}

export const reasonOfMark = (mark: string, reason: string): string =>
  reason === '' ? `marked ${mark}` : `marked ${mark}: ${reason}`

export const reasonOfOpen = (reason: string): string =>
  reason === '' ? 'circuit open' : `circuit open: ${reason}`

export const PAUSE_REASON = 'the provider asked for a pause'

/** What stands between a caller and the provider, the gravest first. Trials are not looked at. */
function blocks(circuit: Circuit): Block[] {
  const now = circuit.lastNowMs
  const found: Block[] = []
  const mark = markAt(circuit.mark, now)
  if (mark !== null && mark.mark !== 'degraded') {
    const reason = reasonOfMark(mark.mark, mark.reason)
    found.push({ code: `marked_${mark.mark}`, reason, untilMs: mark.untilMs })
  }
  if (circuit.phase.state === 'open' && stateAt(circuit.phase, now) === 'open') {
    const reason = reasonOfOpen(reasonText(circuit))
    found.push({ code: 'circuit_open', reason, untilMs: circuit.phase.retryAtMs })
  }
  if (circuit.throttledUntilMs > now) {
    found.push({ code: 'throttled', reason: PAUSE_REASON, untilMs: circuit.throttledUntilMs })
  }
  return found
}

function latest(found: readonly Block[], nowMs: number): number | null {
  let untilMs = 0
  for (const block of found) {
    if (block.untilMs === null) return null
    untilMs = Math.max(untilMs, block.untilMs)
  }
  return untilMs - nowMs
}

/** The parts of an answer that the caller of `admit` here adds: they are not the breaker's. */
export type Admission = Omit<AdmitResult, 'settingsRevision' | 'markVersion'>

const granted = (circuit: Circuit, trial: boolean): Admission => ({
  admitted: true,
  code: null,
  reason: '',
  retryAfterMs: 0,
  generation: circuit.generation,
  trial,
})

/**
 * Whether a call or a probe may begin. In half-open it takes a trial lease; a token that has one gets the
 * same again. A probe runs beside an open or fully tried circuit too: its result then decides nothing. `recovery` says
 * whether calls, probes or both try a half-open circuit.
 */
export function admit(
  circuit: Circuit,
  request: Pick<AdmitRequest, 'origin' | 'token' | 'minLeaseMs' | 'minGapMs'>,
  settings: BreakerSettings,
  probeIntervalMs: number | null,
): Step & { readonly admission: Admission } {
  const found = blocks(circuit)
  const probing = request.origin === 'probe'
  const first = found.find((block) => !probing || block.code !== 'circuit_open')
  if (first !== undefined && (probing || settings.enforce)) return refuse(circuit, first, found)
  if (probing) {
    const sinceMs =
      circuit.probeStartedAtMs === null ? Infinity : circuit.lastNowMs - circuit.probeStartedAtMs
    if (sinceMs < request.minGapMs) {
      return turnAway(circuit, 'another probe began a moment ago', request.minGapMs - sinceMs)
    }
    const underWayMs = (circuit.probeUntilMs ?? 0) - circuit.lastNowMs
    if (underWayMs > 0) return turnAway(circuit, 'another probe is under way', underWayMs)
    const { lastNowMs } = circuit
    circuit = { ...circuit, probeStartedAtMs: lastNowMs, probeUntilMs: lastNowMs + request.minLeaseMs }
  }
  const halfOpen = stateAt(circuit.phase, circuit.lastNowMs) === 'half_open'
  if (halfOpen && first === undefined && !(probing && settings.recovery === 'traffic')) {
    return admitTrial(circuit, request, settings, probeIntervalMs)
  }
  return {
    circuit,
    events: [],
    admission: { ...granted(circuit, false), ...shadow(circuit, probing ? [] : found) },
  }
}

/** With `enforce: false` an admission says what would have refused it. */
function shadow(circuit: Circuit, found: readonly Block[]): Partial<Admission> {
  const [first] = found
  if (first === undefined) return {}
  return { code: first.code, reason: first.reason, retryAfterMs: latest(found, circuit.lastNowMs) }
}

function refuse(circuit: Circuit, first: Block, found: readonly Block[]) {
  const retryAfterMs = latest(found, circuit.lastNowMs)
  const { generation } = circuit
  const admission = {
    admitted: false,
    code: first.code,
    reason: first.reason,
    retryAfterMs,
    generation,
    trial: false,
  }
  return { circuit, events: [], admission }
}

function turnAway(circuit: Circuit, reason: string, retryAfterMs: number) {
  const { generation } = circuit
  const admission = {
    admitted: false,
    code: 'probed_recently' as const,
    reason,
    retryAfterMs,
    generation,
    trial: false,
  }
  return { circuit, events: [], admission }
}

function admitTrial(
  circuit: Circuit,
  request: Pick<AdmitRequest, 'origin' | 'token' | 'minLeaseMs'>,
  settings: BreakerSettings,
  probeIntervalMs: number | null,
): Step & { readonly admission: Admission } {
  const now = circuit.lastNowMs
  const live = liveTrials(circuit.phase, now)
  if (live.has(request.token)) return { circuit, events: [], admission: granted(circuit, true) }
  if (live.size >= settings.halfOpenMaxTrials) {
    const code = 'no_trial_free' as const
    const reason = `half-open: ${live.size} of ${settings.halfOpenMaxTrials} trials under way`
    const retryAfterMs = Math.min(...live.values()) - now
    const admitted = request.origin === 'probe' || !settings.enforce
    const { generation } = circuit
    return {
      circuit,
      events: [],
      admission: { admitted, code, reason, retryAfterMs, generation, trial: false },
    }
  }
  const leftMs = request.origin === 'call' ? leftToProbesMs(circuit, settings, probeIntervalMs) : 0
  if (leftMs > 0) {
    const code = 'awaiting_probe' as const
    const reason = 'half-open: a health check is to try first'
    const { generation } = circuit
    return {
      circuit,
      events: [],
      admission: {
        admitted: !settings.enforce,
        code,
        reason,
        retryAfterMs: leftMs,
        generation,
        trial: false,
      },
    }
  }
  const step = enterHalfOpen(circuit)
  const trials = new Map(live).set(request.token, now + Math.max(settings.trialLeaseMs, request.minLeaseMs))
  const openedAtMs = circuit.phase.state === 'closed' ? 0 : circuit.phase.openedAtMs
  const phase = { state: 'half_open' as const, openedAtMs, trials }
  const next = { ...step.circuit, phase }
  return { circuit: next, events: step.events, admission: granted(next, true) }
}
