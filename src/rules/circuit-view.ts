import type { BreakerSettings } from '../model/settings.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import { markAt, reasonText, stateAt, type Circuit } from './circuit.js'
import { cooldownAt } from './ramp.js'
import { presentSuspects } from './domains.js'
import { presentWindow } from './rate-window.js'
import { openMs } from './totals.js'
import { liveTrials } from './trials.js'

/**
 * The part of a snapshot that is the circuit's own, as it stands at `now`. `openedAt` and `stateSince` are on the
 * circuit's clock.
 */
export function presentCircuit(circuit: Circuit, now: number) {
  const { phase } = circuit
  const mark = markAt(circuit.mark, now)
  const state = stateAt(phase, now)
  const cooledAtMs = phase.state === 'open' && state === 'half_open' ? phase.retryAtMs : null
  const deadlines = [...liveTrials(phase, now).values()]
  return {
    state,
    stateSince: cooledAtMs ?? circuit.stateSinceMs,
    generation: circuit.generation,
    version: circuit.version,
    consecutiveFailures: circuit.consecutiveFailures,
    probeConsecutiveFailures: circuit.probeConsecutiveFailures,
    consecutiveSuccesses: circuit.consecutiveSuccesses,
    openedAt: phase.state === 'closed' ? null : phase.openedAtMs,
    retryAfterMs:
      phase.state !== 'open' ? 0 : phase.retryAtMs === null ? null : Math.max(0, phase.retryAtMs - now),
    cooldownMs: cooldownAt(circuit, now),
    rampForMs: Math.max(0, circuit.rampUntilMs - now),
    reason: reasonText(circuit),
    trials: deadlines.length,
    trialFreeInMs: deadlines.length === 0 ? 0 : Math.min(...deadlines) - now,
    throttledForMs: Math.max(0, circuit.throttledUntilMs - now),
    outageSince: circuit.outage?.sinceMs ?? null,
    outageReason: circuit.outage?.reason ?? '',
    outageBy: circuit.outage?.by ?? '',
    outageTrials: circuit.outage?.trials ?? 0,
    outageDoomed: circuit.outage?.doomed ?? 0,
    openedTotal: circuit.totals.opened,
    halfOpenedTotal: circuit.totals.half_opened,
    closedTotal: circuit.totals.closed,
    resetTotal: circuit.totals.reset,
    openMsTotal: openMs(circuit, now),
    mark: mark?.mark ?? null,
    markReason: mark?.reason ?? '',
    markActor: mark?.actor ?? '',
    markEnded: circuit.mark !== null && mark === null,
    markForMs: mark === null || mark.untilMs === null ? null : mark.untilMs - now,
  } satisfies Partial<StoredSnapshot>
}

/** The part of a snapshot that the rate rules and the quorum judge by. */
export const presentJudgement = (circuit: Circuit, now: number, settings: BreakerSettings) => ({
  ...presentWindow(circuit.rateWindow, circuit, now, settings),
  suspects: presentSuspects(circuit.domains, settings),
})
