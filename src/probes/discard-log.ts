import type { ProcessContext } from '../client/context.js'
import type { ProberError } from '../model/probe.js'

/**
 * Probes that this worker could not make, for a reason of its own. Each is counted; the first of a provider and a reason
 * is logged, for the same comes again at every tick.
 */
export class DiscardLog {
  readonly #context: ProcessContext
  readonly #logged = new Set<string>()

  constructor(context: ProcessContext) {
    this.#context = context
  }

  note(id: string, { reason, discard = 'unable' }: ProberError): void {
    this.#context.counters.probesDiscarded += 1
    this.#context.observers.meters?.discarded.add(discard)
    this.#once(`${id} ${reason}`, { provider: id, reason }, 'probe discarded: it could not be made here')
  }

  /** A turn that was lost before any worker had it. One line is written for all providers of a queue. */
  lostTurn(id: string, reason: string): void {
    this.#context.counters.probeTurnsLost += 1
    this.#once(reason, { provider: id, reason }, 'a turn of a probe was lost')
  }

  #once(key: string, fields: object, message: string): void {
    if (this.#logged.has(key)) return
    // Reasons that change each time must not fill the memory; then some are logged twice.
    if (this.#logged.size >= MAX_LOGGED) this.#logged.clear()
    this.#logged.add(key)
    this.#context.log.warn(fields, message)
  }
}

const MAX_LOGGED = 1_000
