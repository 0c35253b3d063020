import { checkKeys } from '../../config/keys.js'
import { BusbarClosedError, ProviderRemovedError } from '../../model/errors.js'
import type { Timer } from '../../model/ports/time.js'
import type { ProcessContext } from '../context.js'
import { checkSignal, offAbort, onAbort } from '../shared/abort-signals.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { AdmissionGate } from './admission-gate.js'
import type { Outlook } from './outlook.js'

export interface ReadyOptions {
  /** Ends the wait, which then rejects with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined
}

export interface ReadinessParts {
  readonly context: ProcessContext
  readonly session: ProviderSession
  readonly gate: AdmissionGate
}

/** In half-open the next waiter of a process follows after this long, ms, if no newer version came. */
export const TURN_MS = 1_000
/** A timer of more than some 24 days fires at once; and nothing is known that long before. */
const MAX_WAIT_MS = 86_400_000

/**
 * When a call of one provider could begin, for those who wait with it: loops that take work from elsewhere. It takes no lease
 * and asks nothing of the store: the snapshot, which messages keep fresh, and the clock say it all.
 *
 * While nobody watches it has no timer, and the snapshot cache does not report to it. With watchers there is one timer, to the
 * next moment at which time alone changes something: the end of a cooldown, of a pause, of a mark or of a turn.
 *
 * In half-open one waiter at a time is let through: all of them would ask for the same trial. The next follows when a newer
 * version came, or after `TURN_MS`.
 */
export class Readiness {
  readonly #parts: ReadinessParts
  readonly #watchers = new Set<() => void>()
  #timer: Timer | undefined
  #notifying = false
  #waiting = 0
  #turn = { version: -1, until: 0 }

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  /** Changes when the store's news of the provider does. */
  get version(): number {
    return this.#parts.session.cache.version
  }

  /** Why there is nothing to wait for any more; undefined while there is. */
  get ended(): Error | undefined {
    const { context, session } = this.#parts
    if (context.closed || context.calls.closing) return new BusbarClosedError()
    return session.removed ? new ProviderRemovedError(session.id) : undefined
  }

  look(): Outlook {
    return this.#parts.gate.view().outlook
  }

  /** Calls `listener` after each change, also one that time alone brings. Returns what ends it. */
  watch(listener: () => void): () => void {
    // A function of its own, so that the same listener may watch twice.
    const own = () => listener()
    this.#watchers.add(own)
    this.#parts.session.cache.onChange = this.#changed
    this.#setTimer()
    return () => {
      this.#watchers.delete(own)
      if (this.#watchers.size > 0) return
      this.#timer?.clear()
      this.#timer = undefined
      this.#parts.session.cache.onChange = undefined
    }
  }

  /** See `provider.ready()`. */
  async ready(options: ReadyOptions): Promise<void> {
    checkKeys(options, ['signal'], 'ready')
    const { signal } = options
    checkSignal(signal)
    signal?.throwIfAborted()
    if (this.#waiting === 0 && this.#mayGo()) return
    this.#waiting += 1
    try {
      await this.#wait(signal)
    } finally {
      this.#waiting -= 1
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        off()
        if (signal !== undefined) offAbort(signal, onAborted)
        settle()
      }
      const onAborted = () => end(() => reject(signal?.reason as Error)) // the caller's own, whatever it is
      const off = this.watch(() => {
        try {
          if (this.#mayGo()) end(resolve)
        } catch (error) {
          end(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      })
      if (signal !== undefined) onAbort(signal, onAborted)
      // What came between the first look and the watch, and a waiter that joins others at a closed circuit.
      this.#changed()
    })
  }

  /** @throws ProviderRemovedError, BusbarClosedError */
  #mayGo(): boolean {
    const { ended } = this
    if (ended !== undefined) throw ended
    const { can } = this.look()
    if (can !== 'try') return can === 'begin'
    if (this.#turnLeftMs > 0) return false
    this.#turn = { version: this.version, until: this.#parts.context.clock.now() + TURN_MS }
    return true
  }

  get #turnLeftMs(): number {
    return this.#turn.version === this.version ? this.#turn.until - this.#parts.context.clock.now() : 0
  }

  /** Once for all that changes in one turn: a removal is a cache that stops first, and a session that says why after it. */
  readonly #changed = (): void => {
    if (this.#notifying) return
    this.#notifying = true
    queueMicrotask(() => {
      this.#notifying = false
      for (const listener of [...this.#watchers]) if (this.#watchers.has(listener)) listener()
      this.#setTimer()
    })
  }

  #setTimer(): void {
    this.#timer?.clear()
    this.#timer = undefined
    const ms = this.#watchers.size === 0 ? null : this.#nextChangeInMs()
    if (ms === null) return
    const { timers, unref } = this.#parts.context
    this.#timer = timers.set(Math.min(Math.max(ms, 1), MAX_WAIT_MS), this.#changed)
    if (unref) this.#timer.unref()
  }

  /** Until time alone changes something; null when only news can. */
  #nextChangeInMs(): number | null {
    if (this.ended !== undefined) return null
    const outlook = this.look()
    // What is decided without the store changes without news.
    if (!outlook.known) return TURN_MS
    if (outlook.can === 'begin') return null
    if (outlook.can === 'try') return this.#turnLeftMs > 0 ? this.#turnLeftMs : TURN_MS
    return outlook.code === 'no_trial_free'
      ? Math.min(outlook.retryAfterMs ?? TURN_MS, TURN_MS)
      : outlook.retryAfterMs
  }
}
