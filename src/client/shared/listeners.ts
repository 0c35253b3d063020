import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'
import { EVENT_KINDS, STORE_EVENT_KINDS } from '../../model/events.js'
import type { AnyEvent, AnyKind } from '../../model/events.js'
import { checkSignal, offAbort, onAbort } from './abort-signals.js'
import { onRejection, type Counters, type Logger } from './log.js'

export interface ListenerOptions {
  /** Takes the listener off again. */
  readonly signal?: AbortSignal
}

type Listener = (event: never) => unknown

const KINDS: readonly string[] = [...EVENT_KINDS, ...STORE_EVENT_KINDS, '*']

/** Typed listeners of one process. One that throws, or rejects, disturbs nothing else. */
export class Listeners {
  readonly #byKind = new Map<AnyKind | '*', Set<Listener>>()
  readonly #log: Logger
  readonly #counters: Counters

  constructor(log: Logger, counters: Counters) {
    this.#log = log
    this.#counters = counters
  }

  add(kind: AnyKind | '*', listener: Listener, signal?: AbortSignal): () => void {
    if (!KINDS.includes(kind)) {
      throw new ArgumentError('kind', `kind: expected one of ${KINDS.join(', ')}, got ${show(kind)}`)
    }
    if (typeof listener !== 'function') throw new ArgumentError('listener', 'listener: expected a function')
    checkSignal(signal)
    // A function of its own, so that the same listener may be added twice and taken off once.
    const own: Listener = (event) => listener(event)
    const set = this.#byKind.get(kind) ?? new Set()
    this.#byKind.set(kind, set)
    const off = () => {
      set.delete(own)
      if (signal !== undefined) offAbort(signal, off)
    }
    if (signal?.aborted === true) return off
    set.add(own)
    if (signal !== undefined) onAbort(signal, off)
    return off
  }

  emit(event: AnyEvent): void {
    for (const listener of [...(this.#byKind.get(event.kind) ?? []), ...(this.#byKind.get('*') ?? [])]) {
      try {
        // It was added for this kind or for all, so this is an event that it takes.
        onRejection(listener(event as never), (error) => this.#failed(event, error))
      } catch (error) {
        this.#failed(event, error)
      }
    }
  }

  #failed(event: AnyEvent, error: unknown): void {
    this.#counters.callbacksFailed += 1
    const of = 'providerId' in event ? { provider: event.providerId } : {}
    this.#log.error({ err: error, kind: event.kind, ...of }, 'a listener failed')
  }
}
