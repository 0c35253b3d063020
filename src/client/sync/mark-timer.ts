import type { Timer } from '../../model/ports/time.js'
import type { ProcessContext } from '../context.js'
import type { SnapshotCache } from './snapshot-cache.js'

export interface MarkTimerOptions {
  readonly context: ProcessContext
  readonly id: string
  readonly cache: SnapshotCache
  /** Clears the mark in the store, if it has ended. */
  readonly clear: () => Promise<void>
}

/**
 * Announces the end of a mark when it comes. Every reader computes the end by itself, but the event comes with a write, and
 * where no call of the provider comes there is no write. So each process that follows it waits for the end, and up to
 * `markJitterMs` more: the first clears the mark, and what it announces ends the wait of the others. An attempt that comes
 * early by the store's clock changes nothing, and its answer sets the next one.
 */
export class MarkTimer {
  readonly #options: MarkTimerOptions
  #timer: Timer | undefined
  /** The version of the mark that it waits for. */
  #version = 0

  constructor(options: MarkTimerOptions) {
    this.#options = options
  }

  /** What is known of the provider has changed. */
  follow(): void {
    const held = this.#options.cache.held
    const endsInMs = held?.markEnded === true ? 0 : (held?.markForMs ?? null)
    if (held === undefined || endsInMs === null) {
      this.stop()
      return
    }
    if (this.#timer !== undefined && this.#version === held.markVersion) return
    this.stop()
    this.#version = held.markVersion
    const { context } = this.#options
    const waitMs = Math.min(endsInMs, LONGEST_MS) + Math.random() * context.markJitterMs
    this.#timer = context.timers.set(waitMs, () => this.#ended()).unref()
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  #ended(): void {
    this.#timer = undefined
    const { context, id, clear, cache } = this.#options
    // After an outage all is read again, and what was missed is seen then.
    if (context.closed || cache.suspended) return
    clear().catch((error: unknown) => {
      context.log.debug({ err: error, provider: id }, 'the end of a mark could not be announced yet')
    })
  }
}

/** Timers of Node end at 24 days; a longer wait goes on after a look at the store. */
const LONGEST_MS = 86_400_000
