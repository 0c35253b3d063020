import type { ProbeSettings } from '../model/probe.js'
import type { Seen } from './read-provider.js'
import type { Timers } from './timers.js'

export interface RecoveryProbesOptions {
  readonly timers: Timers
  /** Asks for another look at what is planned for a provider. */
  readonly review: (id: string) => void
}

/**
 * One probe when the cooldown of an open circuit ends, or the pause of one. It lies in the schedule beside the provider's
 * turns, one a provider: so there is one for the fleet, whichever worker plans it, it goes with what it was for, and it
 * comes by Redis's clock.
 */
export class RecoveryProbes {
  readonly #options: RecoveryProbesOptions
  /** When the next look at a provider is planned, by this process's clock. */
  readonly #planned = new Map<string, number>()

  constructor(options: RecoveryProbesOptions) {
    this.#options = options
  }

  /** When it is to come, ms from now; -1: none is; null: one that is planned stays. Looks again when it had its time. */
  inMs({ provider: { id, settings }, snapshot }: Seen, probe: ProbeSettings): number | null {
    const { state, retryAfterMs, throttledForMs, trialFreeInMs, at, probeStartedAt } = snapshot
    if (settings.breaker.recovery === 'traffic' || state === 'closed') return -1
    if (state === 'open' && retryAfterMs === null) return -1
    const waitMs = Math.max(retryAfterMs ?? 0, throttledForMs, trialFreeInMs)
    const hadMs = Math.max(settings.breaker.trialLeaseMs, probe.timeoutMs)
    this.#lookAgain(id, waitMs + hadMs + MARGIN_MS)
    if (state === 'open') return waitMs
    // It had its time and the circuit is still half-open: the worker that tried is gone.
    return waitMs === 0 && at - (probeStartedAt ?? 0) > hadMs ? 0 : null
  }

  /** One planned look a provider: an earlier one stands. */
  #lookAgain(id: string, inMs: number): void {
    const now = performance.now()
    if ((this.#planned.get(id) ?? 0) > now) return
    this.#planned.set(id, now + inMs)
    this.#options.timers.later(inMs, () => {
      this.#planned.delete(id)
      this.#options.review(id)
    })
  }
}

/** A recovery may be late by this, ms. */
const MARGIN_MS = 1_000
