import type { BreakerSettings } from '../model/settings.js'
import { askAgainInMs, type Block } from './blocks.js'
import type { Circuit } from './circuit.js'

/**
 * The way back to full load. After trials closed the circuit, each worker lets through a share of its calls that grows
 * linearly, so that a provider which has just recovered does not meet the whole fleet at once.
 *
 * Each worker draws for itself and asks nobody: the store keeps only when the ramp ends. Until then the cooldown stays as
 * it has grown, so that a provider which falls again under the load is left alone for longer. The same rules as
 * `lua/lib/ramp.lua`.
 */

/** The share of calls at the beginning. */
const FIRST_SHARE = 0.1

/** The share of calls that are let through while the ramp lasts another `leftMs`: 0.1 to 1. */
export function rampShare(leftMs: number, recoveryRampMs: number): number {
  if (leftMs <= 0 || recoveryRampMs <= 0) return 1
  return 1 - (1 - FIRST_SHARE) * Math.min(1, leftMs / recoveryRampMs)
}

/** The block of a call that the draw held back; undefined where every call is let through. */
export function rampBlock(leftMs: number, recoveryRampMs: number): Block | undefined {
  const share = rampShare(leftMs, recoveryRampMs)
  if (share >= 1) return undefined
  // Rounded down, so that none says 100 %; the little more is for shares that floating point has just below a whole one.
  const reason = `recovering: ${Math.floor(share * 100 + 1e-9)} % of calls are let through`
  return { code: 'recovering', reason, retryAfterMs: askAgainInMs(Math.ceil(leftMs)) }
}

/** What trials that close a circuit set: the ramp begins and the cooldown stays, or the cooldown starts over at once. */
export const beginRamp = (
  { cooldownMs, lastNowMs }: Circuit,
  { recoveryRampMs }: BreakerSettings,
): Pick<Circuit, 'cooldownMs' | 'rampUntilMs'> =>
  recoveryRampMs > 0
    ? { cooldownMs, rampUntilMs: lastNowMs + recoveryRampMs }
    : { cooldownMs: 0, rampUntilMs: 0 }

/** The cooldown as every reader sees it: the end of a ramp resets it. */
export const cooldownAt = ({ cooldownMs, rampUntilMs }: Circuit, nowMs: number): number =>
  rampUntilMs !== 0 && nowMs >= rampUntilMs ? 0 : cooldownMs

/** An opening ends the ramp. During it the cooldown stays, for the opening to grow on. */
export const endRamp = (circuit: Circuit): Circuit =>
  circuit.rampUntilMs === 0
    ? circuit
    : { ...circuit, cooldownMs: cooldownAt(circuit, circuit.lastNowMs), rampUntilMs: 0 }
