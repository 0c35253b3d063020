import type { Host, Link } from './link.js'

/**
 * A failed call brings the next health check of its provider forward, where the settings say how often a suspicious
 * provider is to be probed. There is one for the fleet, however many calls fail: the schedule keeps the gap, and this
 * process asks it no more than once in that time.
 */
export class EarlyProbe {
  readonly #host: Host
  readonly #link: Link
  #notBefore = -Infinity

  constructor(host: Host, link: Link) {
    this.#host = host
    this.#link = link
  }

  callFailed(): void {
    const { schedule, clock, counters, log } = this.#host
    const gapMs = this.#link.settings.settings.probe?.suspiciousIntervalMs
    // While it is open, or marked, others plan its probes.
    if (schedule === undefined || gapMs === undefined || !this.#link.cache.free) return
    const now = clock.now()
    if (now < this.#notBefore) return
    this.#notBefore = now + gapMs
    schedule.bringForward(this.#link.id, { inMs: 0, gapMs }).catch((error: unknown) => {
      counters.connectionErrors += 1
      log.debug({ err: error, provider: this.#link.id }, 'could not bring a probe forward')
    })
  }
}
