import type { Host } from '../client/link.js'
import type { ProberError } from '../model/probe.js'

/**
 * Probes that this worker could not make, for a reason of its own. Each is counted; the first of a provider and a reason
 * is logged, for the same comes again at every tick.
 */
export class Discards {
  readonly #host: Host
  readonly #told = new Set<string>()

  constructor(host: Host) {
    this.#host = host
  }

  note(id: string, { reason }: ProberError): void {
    const { counters, log } = this.#host
    counters.probesDiscarded += 1
    const key = `${id} ${reason}`
    if (this.#told.has(key)) return
    // Reasons that change each time must not fill the memory; then some are told twice.
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.add(key)
    log.warn({ provider: id, reason }, 'probe discarded: it could not be made here')
  }
}

const MAX_TOLD = 1_000
