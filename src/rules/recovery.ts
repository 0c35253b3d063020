import type { BreakerSettings } from '../model/settings.js'
import type { Circuit } from './circuit.js'

/** Intervals without a probe after which `recovery: 'probe'` lets calls try too: no probe worker seems to be alive. */
const PROBELESS_INTERVALS = 3

/**
 * How long calls still have to leave a half-open circuit to the probes, ms; 0: they may try it themselves. They wait
 * while `recovery` is `probe`, but not for ever, or a fleet whose probe workers died would never recover. The wait ends
 * three intervals after the last probe began, or after the cooldown ended, at the later of the two.
 */
export function leftToProbesMs(
  circuit: Circuit,
  { recovery }: BreakerSettings,
  probeIntervalMs: number | null,
): number {
  if (recovery !== 'probe' || probeIntervalMs === null || circuit.phase.state === 'closed') return 0
  const { phase } = circuit
  // The deadline where there is one: a jitter lengthens the cooldown, and a trip by hand has a deadline of its own.
  const endsAtMs = phase.state === 'open' ? phase.retryAtMs : null
  const cooledAtMs = endsAtMs ?? phase.openedAtMs + circuit.cooldownMs
  const lastMs = Math.max(circuit.probeStartedAtMs ?? 0, cooledAtMs)
  return Math.max(0, lastMs + PROBELESS_INTERVALS * probeIntervalMs - circuit.lastNowMs)
}
