import type { Block } from '../../rules/blocks.js'
import { rampBlock, rampShare } from '../../rules/ramp.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Decision } from './permit.js'

/**
 * Draws which calls of this process begin after the circuit has closed, see `rules/ramp.ts`. It asks nobody: the snapshot
 * says how long the ramp lasts. Of a setting that became 0 meanwhile the ramp is over.
 */
export class RecoveryRamp {
  readonly #session: ProviderSession
  readonly #random: () => number

  constructor(session: ProviderSession, random: () => number = Math.random) {
    this.#session = session
    this.#random = random
  }

  /**
   * The decision for one call that nothing else refused, or the refusal of one that is held back. Trials are exempt, and so is
   * a call that was decided without the store. A call without a lease holds nothing that would have to go back.
   */
  apply(decision: Decision): Decision {
    if (!decision.admitted || decision.source === 'fallback' || decision.permit.trial) return decision
    const block = this.#draw()
    if (block === undefined) return decision
    const { code, reason, retryAfterMs } = block
    if (!this.#session.settings.settings.breaker.enforce)
      return { ...decision, wouldRefuse: decision.wouldRefuse ?? code }
    return { admitted: false, code, reason, retryAfterMs, source: 'cache' }
  }

  /** The block of one call; undefined: it may begin. */
  #draw(): Block | undefined {
    const leftMs = this.#session.cache.rampLeftMs()
    if (leftMs === 0) return undefined
    const { recoveryRampMs } = this.#session.settings.settings.breaker
    return this.#random() < rampShare(leftMs, recoveryRampMs) ? undefined : rampBlock(leftMs, recoveryRampMs)
  }
}
