import type { BreakerSettings } from '../model/settings.js'
import { afterOpening } from './doubt.js'
import { transition, type Circuit, type Step } from './circuit.js'
import type { CircuitRun } from './judged.js'
import { endRamp } from './ramp.js'

export interface Cause {
  /** Why, in at most 64 bytes: the circuit hash keeps it. */
  readonly reason: string
  /** The run whose failure opens the circuit. */
  readonly run: CircuitRun
  /** The failure domain that it comes from, while a quorum is set. */
  readonly domain?: string | undefined
}

/** Opens the circuit by a rule. The first cooldown is the base; each further one without a closing grows, and so does one during the ramp. */
export function open(before: Circuit, cause: Cause, settings: BreakerSettings, jitterDraw: number): Step {
  const circuit = endRamp(before)
  const now = circuit.lastNowMs
  const noted = afterOpening(circuit, cause.domain, settings)
  const cooldownMs = circuit.cooldownMs === 0 ? settings.cooldownMs : grown(circuit.cooldownMs, settings)
  const waitMs = cooldownMs + Math.floor(cooldownMs * settings.cooldownJitter * jitterDraw)
  const opened = transition(noted.circuit, 'opened', {
    phase: { state: 'open', openedAtMs: now, retryAtMs: now + waitMs },
    reason: cause.reason,
    lastFailure: describe(cause.run),
    cooldownMs,
  })
  return { circuit: opened.circuit, events: [...noted.events, ...opened.events] }
}

/** Where the cooldown grows, it grows by 1 ms at least: 1 ms times 1.5, rounded down, would stay 1 for ever. */
function grown(cooldownMs: number, { cooldownMultiplier, maxCooldownMs }: BreakerSettings): number {
  const leastMs = cooldownMultiplier > 1 ? cooldownMs + 1 : cooldownMs
  return Math.min(Math.max(Math.floor(cooldownMs * cooldownMultiplier), leastMs), maxCooldownMs)
}

/** The outcome in words, with what the call or the probe saw. */
const describe = ({ outcome, detail }: CircuitRun): string =>
  detail === '' ? outcome : `${outcome} (${detail})`
