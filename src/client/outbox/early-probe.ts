import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'

/**
 * A failed call brings the next health check of its provider forward, where the settings say how often a suspicious
 * provider is to be probed. There is one for the fleet, however many calls fail: the schedule keeps the gap, and this
 * process asks it no more than once in that time.
 */
export class EarlyProbe {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  #notBefore = -Infinity

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
  }

  callFailed(): void {
    const { schedule, clock, counters, log } = this.#context
    const gapMs = this.#session.settings.settings.probe?.suspiciousIntervalMs
    // While it is open, or marked, others plan its probes.
    if (schedule === undefined || gapMs === undefined || !this.#session.cache.unblocked) return
    const now = clock.now()
    if (now < this.#notBefore) return
    this.#notBefore = now + gapMs
    schedule.bringForward(this.#session.id, { inMs: 0, gapMs }).catch((error: unknown) => {
      counters.connectionErrors += 1
      log.debug({ err: error, provider: this.#session.id }, 'could not bring a probe forward')
    })
  }
}
