import type { StoredSnapshot } from '../model/snapshot.js'
import type { OutageState } from './outage.js'
import { newCircuit, type Circuit, type MarkState, type Phase } from './circuit.js'

/**
 * A provider after its store was wiped. An open circuit, a ramp, a pause and a mark that a caller knew still hold. Counters
 * begin at 0. Generation and version go on, so that results from before the wipe decide nothing.
 */
export function restoreCircuit(known: StoredSnapshot, nowMs: number): Circuit {
  const circuit = newCircuit(nowMs, known)
  const mark = restoreMark(known, nowMs)
  return {
    ...circuit,
    phase: restorePhase(known, nowMs),
    cooldownMs: known.cooldownMs,
    rampUntilMs: known.rampForMs > 0 ? nowMs + known.rampForMs : 0,
    reason: known.state === 'closed' ? RESTORED : known.reason,
    throttledUntilMs: known.throttledForMs > 0 ? nowMs + known.throttledForMs : 0,
    outage: restoreOutage(known, nowMs),
    mark,
    markVersion: mark === null ? 0 : circuit.version,
  }
}

const RESTORED = 'restored after a wipe'

function restorePhase(known: StoredSnapshot, nowMs: number): Phase {
  if (known.state === 'closed') return { state: 'closed' }
  const retryAtMs = known.retryAfterMs === null ? null : nowMs + known.retryAfterMs
  return { state: 'open', openedAtMs: nowMs, retryAtMs }
}

/** The outage keeps its begin, unless the new store's clock is behind the old one: it cannot begin in the future. */
function restoreOutage(known: StoredSnapshot, nowMs: number): OutageState | null {
  const { outageSince, outageReason: reason, outageBy, outageTrials: trials, outageDoomed: doomed } = known
  if (outageSince === null || outageBy === '') return null
  return { sinceMs: Math.min(outageSince, nowMs), reason, by: outageBy, trials, doomed }
}

function restoreMark(known: StoredSnapshot, nowMs: number): MarkState | null {
  if (known.mark === null) return null
  const untilMs = known.markForMs === null ? null : nowMs + known.markForMs
  return { mark: known.mark, reason: known.markReason, actor: known.markActor, untilMs }
}
