import { randomBytes } from 'node:crypto'

/** One message of the stream, as it is sent. */
export interface Frame {
  readonly at: number
  /** Null: of the whole fleet. */
  readonly providerId: string | null
  readonly bytes: Uint8Array
}

/** The newest messages, for those that read slowly or come back. Bounded by number and by bytes. */
export class FrameLog {
  readonly #max: { readonly frames: number; readonly bytes: number }
  /** Ids of another life of the log must not look like its own. */
  #epoch = randomBytes(6).toString('hex')
  #frames: Frame[] = []
  #next = 1
  #bytes = 0

  constructor(max = { frames: 4_096, bytes: 8_388_608 }) {
    this.#max = max
  }

  /** The place after the newest message. */
  get end(): number {
    return this.#next
  }

  append(event: string, providerId: string | null, data: string): void {
    const at = this.#next
    const bytes = encode(`id: ${this.idOf(at)}\n${frameText(event, data)}`)
    this.#frames.push({ at, providerId, bytes })
    this.#next += 1
    this.#bytes += bytes.byteLength
    while (this.#frames.length > this.#max.frames || this.#bytes > this.#max.bytes) {
      this.#bytes -= this.#frames.shift()?.bytes.byteLength ?? 0
    }
  }

  /** The message at `place`; undefined at the end. */
  get(place: number): Frame | undefined {
    return this.#frames[place - (this.#next - this.#frames.length)]
  }

  /** Whether all messages from `place` on are still here. */
  reaches(place: number): boolean {
    return place >= this.#next - this.#frames.length && place <= this.#next
  }

  /** Names the message at a place, so that a reader can go on after it. */
  idOf(place: number): string {
    return `${this.#epoch}-${place}`
  }

  /** The place after the message with this id; undefined for an id of another log, or of none. */
  placeAfter(id: string | null): number | undefined {
    const [, epoch, place] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '') ?? []
    if (epoch !== this.#epoch) return undefined
    const next = Number(place) + 1
    return this.reaches(next) ? next : undefined
  }

  /** Messages are missed from now on: no id of before is known any more. */
  restart(): void {
    this.#epoch = randomBytes(6).toString('hex')
    this.#frames = []
    this.#bytes = 0
  }
}

/** JSON has no line breaks, so that one line of data is enough. */
export const frameText = (event: string, data: string): string => `event: ${event}\ndata: ${data}\n\n`

const encoder = new TextEncoder()
export const encode = (text: string): Uint8Array => encoder.encode(text)
