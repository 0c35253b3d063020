import type { AdmitResult } from '../model/ports/store-replies.js'
import type { AdmitRequest } from '../model/ports/store-requests.js'
import type { BreakerSettings } from '../model/settings.js'
import { blockedForMs, blocksOf } from './blocks.js'
import { stateAt } from './circuit.js'
import type { Circuit, Step } from './circuit.js'
import { presentCircuit } from './circuit-view.js'
import { keptForOthersMs } from './quorum.js'
import { leftToProbesMs } from './recovery.js'
import { enterHalfOpen, liveTrials } from './trials.js'

/** The answer without the two numbers that the store adds: the circuit does not know them. */
export type Admission = Omit<AdmitResult, 'settingsRevision' | 'markVersion'>

const granted = (circuit: Circuit, trial: boolean): Admission => ({
  admitted: true,
  code: null,
  reason: '',
  retryAfterMs: 0,
  generation: circuit.generation,
  trial,
})

/** An answer that names a block. `admitted`: whether the caller may go on in spite of it, as with `enforce: false`. */
const refused = (
  circuit: Circuit,
  admitted: boolean,
  { code, reason }: { readonly code: NonNullable<Admission['code']>; readonly reason: string },
  retryAfterMs: number | null,
): Admission => ({ admitted, code, reason, retryAfterMs, generation: circuit.generation, trial: false })

type Request = Pick<
  AdmitRequest,
  'origin' | 'token' | 'leaseMs' | 'minGapMs' | 'incarnation' | 'failureDomain'
>
type Answer = Step & { readonly admission: Admission }

const unchanged = (circuit: Circuit, admission: Admission): Answer => ({ circuit, events: [], admission })

/**
 * Whether a call or a probe may begin. In half-open it takes a trial lease; a token that has one gets the same lease
 * again. A probe also runs while the circuit is open, or all trials are taken: its result then decides nothing.
 * `recovery` says whether calls, probes or both try a half-open circuit.
 */
export function admit(
  circuit: Circuit,
  request: Request,
  settings: BreakerSettings,
  probeIntervalMs: number | null,
): Answer {
  const blocks = blocksOf(presentCircuit(circuit, circuit.lastNowMs))
  const probing = request.origin === 'probe'
  const first = blocks.find((block) => !probing || block.code !== 'circuit_open')
  if (first !== undefined) {
    const admitted = !probing && !settings.enforce
    return unchanged(circuit, refused(circuit, admitted, first, blockedForMs(blocks)))
  }
  const turnedAway = probing ? turnAway(circuit, request) : undefined
  if (turnedAway !== undefined) return unchanged(circuit, turnedAway)
  const begun = probing ? beginProbe(circuit, request) : circuit
  const halfOpen = stateAt(begun.phase, begun.lastNowMs) === 'half_open'
  if (!halfOpen || (probing && settings.recovery === 'traffic'))
    return unchanged(begun, granted(begun, false))
  return admitTrial(begun, request, settings, probeIntervalMs)
}

/** Turns away a probe that comes too soon after another, or beside one. Undefined when it may begin. */
function turnAway(circuit: Circuit, { minGapMs }: Request): Admission | undefined {
  const { probeStartedAtMs, probeUntilMs, lastNowMs } = circuit
  const code = 'probed_recently' as const
  const sinceMs = probeStartedAtMs === null ? Infinity : lastNowMs - probeStartedAtMs
  if (sinceMs < minGapMs) {
    return refused(circuit, false, { code, reason: 'another probe began a moment ago' }, minGapMs - sinceMs)
  }
  const underWayMs = (probeUntilMs ?? 0) - lastNowMs
  if (underWayMs <= 0) return undefined
  return refused(circuit, false, { code, reason: 'another probe is under way' }, underWayMs)
}

const beginProbe = (circuit: Circuit, { leaseMs }: Request): Circuit => ({
  ...circuit,
  probeStartedAtMs: circuit.lastNowMs,
  probeUntilMs: circuit.lastNowMs + leaseMs,
})

function admitTrial(
  circuit: Circuit,
  request: Request,
  settings: BreakerSettings,
  probeIntervalMs: number | null,
): Answer {
  const now = circuit.lastNowMs
  const live = liveTrials(circuit.phase, now)
  if (live.has(request.token)) return unchanged(circuit, granted(circuit, true))
  if (live.size >= settings.halfOpenMaxTrials) {
    const reason = `half-open: ${live.size} of ${settings.halfOpenMaxTrials} trials under way`
    const admitted = request.origin === 'probe' || !settings.enforce
    const block = { code: 'no_trial_free' as const, reason }
    return unchanged(circuit, refused(circuit, admitted, block, Math.min(...live.values()) - now))
  }
  const otherMs = keptForOthersMs(circuit, request, settings)
  if (otherMs > 0) {
    const block = {
      code: 'no_trial_free' as const,
      reason: 'half-open: another failure domain is to try first',
    }
    const admitted = request.origin === 'probe' || !settings.enforce
    return unchanged(circuit, refused(circuit, admitted, block, otherMs))
  }
  const leftMs = request.origin === 'call' ? leftToProbesMs(circuit, settings, probeIntervalMs) : 0
  if (leftMs > 0) {
    const block = { code: 'awaiting_probe' as const, reason: 'half-open: a health check is to try first' }
    return unchanged(circuit, refused(circuit, !settings.enforce, block, leftMs))
  }
  const step = enterHalfOpen(circuit)
  const trials = new Map(live).set(
    request.token,
    now + (request.leaseMs === 0 ? settings.trialLeaseMs : request.leaseMs),
  )
  const openedAtMs = circuit.phase.state === 'closed' ? 0 : circuit.phase.openedAtMs
  const phase = { state: 'half_open' as const, openedAtMs, trials }
  const next = { ...step.circuit, phase }
  return { circuit: next, events: step.events, admission: granted(next, true) }
}
