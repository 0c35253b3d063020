import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import { EVENT_KINDS, type EventKind, type ProviderEvent } from '../model/events.js'
import { onRejection, type Counters, type Logger } from './log.js'

export type Listener = (event: ProviderEvent) => unknown

/** Typed listeners of one process. One that throws, or rejects, hurts nobody. */
export class Listeners {
  readonly #byKind = new Map<EventKind, Set<Listener>>()
  readonly #log: Logger
  readonly #counters: Counters

  constructor(log: Logger, counters: Counters) {
    this.#log = log
    this.#counters = counters
  }

  add(kind: EventKind, listener: Listener, signal?: AbortSignal): () => void {
    if (!(EVENT_KINDS as readonly unknown[]).includes(kind)) {
      throw new ArgumentError('kind', `kind: expected one of ${EVENT_KINDS.join(', ')}, got ${show(kind)}`)
    }
    if (typeof listener !== 'function') throw new ArgumentError('listener', 'listener: expected a function')
    // A function of its own, so that the same listener may be added twice and taken off once.
    const own: Listener = (event) => listener(event)
    const set = this.#byKind.get(kind) ?? new Set()
    this.#byKind.set(kind, set)
    const off = () => {
      set.delete(own)
      signal?.removeEventListener('abort', off)
    }
    if (signal?.aborted === true) return off
    set.add(own)
    signal?.addEventListener('abort', off, { once: true })
    return off
  }

  emit(event: ProviderEvent): void {
    for (const listener of [...(this.#byKind.get(event.kind) ?? [])]) {
      try {
        onRejection(listener(event), (error) => this.#failed(event, error))
      } catch (error) {
        this.#failed(event, error)
      }
    }
  }

  #failed(event: ProviderEvent, error: unknown): void {
    this.#counters.callbacksFailed += 1
    this.#log.error({ err: error, kind: event.kind, provider: event.providerId }, 'a listener failed')
  }
}
