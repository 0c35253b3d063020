import type { FleetState } from '../fleet-state.js'
import { encode, frameText, type Frame, type FrameLog } from './frame-log.js'

export interface ReaderParts {
  readonly log: FrameLog
  readonly fleet: FleetState
  readonly sees: (id: string) => boolean
  /** The stream has ended, for whatever reason. */
  readonly onEnd: (reader: StreamReader) => void
}

/**
 * One client of the stream. It is given messages when it takes them, and holds none: only its place in the log. So a client
 * that does not read costs one chunk, and is dropped after a while (`StreamHub`).
 *
 * Modes. Only `#setMode` moves between them.
 *
 * - `waiting`    nothing is known of the fleet yet, because Redis does not answer.
 * - `catching_up` it is sent the whole state, a provider at a time.
 * - `following`  it is sent the messages of the log from its place on.
 *
 *     waiting -> catching_up -> following -> waiting (its place has left the log)
 */
export class StreamReader {
  readonly #parts: ReaderParts
  #mode: 'waiting' | 'catching_up' | 'following' = 'waiting'
  /** The place of the next message. */
  #place = 0
  /** Providers that are still to be sent. */
  #ids: string[] = []
  /** What goes before all else: a comment, or the news that Redis is away. */
  #urgent: Uint8Array[] = [RETRY]
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #wake: (() => void) | undefined
  #ended = false
  /** When it took something last, on the monotonic clock. */
  #tookAt = performance.now()
  readonly openedAt = performance.now()

  /** `place`: where it was, if the log still has all since then. */
  constructor(parts: ReaderParts, place: number | undefined) {
    this.#parts = parts
    if (place !== undefined) this.#setMode('following', place)
  }

  /** Whether its viewer may know of a provider. */
  get sees(): (id: string) => boolean {
    return this.#parts.sees
  }

  /** Whether it waits for the whole state. */
  get waiting(): boolean {
    return this.#mode === 'waiting'
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#end(),
    })
  }

  /** The state of the fleet is known: it is sent from here on, and then what has happened since. */
  catchUp(ids: readonly string[]): void {
    if (this.#mode !== 'waiting') return
    this.#ids = [...ids].reverse()
    this.#setMode('catching_up', this.#parts.log.end)
    this.#urgent.push(encode(frameText('reset', '{}')))
    this.wake()
  }

  send(text: string): void {
    // One that does not read would collect them.
    if (this.#urgent.length < MAX_URGENT) this.#urgent.push(encode(text))
    this.wake()
  }

  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }

  /** How long it has taken nothing though there was something, ms. */
  stuckMs(now: number): number {
    return this.#wake === undefined ? now - this.#tookAt : 0
  }

  close(): void {
    if (this.#ended) return
    this.#end()
    this.#controller?.close()
  }

  /** Ends the connection, and not only the stream: what its client has not taken is thrown away. */
  drop(reason: string): void {
    if (this.#ended) return
    this.#end()
    this.#controller?.error(new Error(reason))
  }

  #end(): void {
    this.#ended = true
    this.#ids = []
    this.#urgent = []
    this.wake()
    this.#parts.onEnd(this)
  }

  #setMode(mode: 'waiting' | 'catching_up' | 'following', place: number): void {
    this.#mode = mode
    this.#place = place
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#tookAt = performance.now()
    for (;;) {
      if (this.#ended) return
      const chunk = this.#take()
      if (chunk.length > 0) {
        controller.enqueue(Buffer.concat(chunk))
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The next messages, together not much more than `CHUNK_BYTES`. */
  #take(): Uint8Array[] {
    const chunk = this.#urgent.splice(0)
    let bytes = 0
    while (bytes < CHUNK_BYTES) {
      const next = this.#next()
      if (next === undefined) break
      bytes += next.byteLength
      chunk.push(next)
    }
    return chunk
  }

  #next(): Uint8Array | undefined {
    const { fleet, log, sees } = this.#parts
    while (this.#mode === 'catching_up') {
      const id = this.#ids.pop()
      if (id === undefined) {
        this.#setMode('following', this.#place)
        // From here on the client may come back and go on: it has the whole state.
        return encode(`id: ${log.idOf(this.#place - 1)}\n${frameText('synced', '{}')}`)
      }
      const entry = fleet.entry(id)
      if (entry !== undefined && sees(id)) return encode(frameText('snapshot', entry.json))
    }
    while (this.#mode === 'following') {
      if (!log.reaches(this.#place)) {
        this.#setMode('waiting', 0)
        return undefined
      }
      const frame: Frame | undefined = log.get(this.#place)
      if (frame === undefined) return undefined
      this.#place += 1
      if (frame.providerId === null || sees(frame.providerId)) return frame.bytes
    }
    return undefined
  }
}

/** A browser comes back after this time, ms. */
const RETRY = encode('retry: 2000\n\n')
const CHUNK_BYTES = 32_768
const MAX_URGENT = 16
