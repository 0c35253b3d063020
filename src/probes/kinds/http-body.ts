import type { Readable } from 'node:stream'

/** Of a body, no more than this is read, bytes. */
export const BODY_LIMIT = 65_536

export interface Body {
  /** Whether the wanted text came. */
  readonly found: boolean
  /** Whether there was more than the limit, or as much as that. */
  readonly cut: boolean
  /** What was read. */
  readonly bytes: Buffer
}

export interface Wanted {
  readonly bodyContains?: string
  /** Present: the body is wanted to its end, whatever was found in it. */
  readonly json?: unknown
}

/**
 * Reads until the text is found, the body ends, or the limit is reached. The text may span chunks. Calls `end` or
 * `fail`, perhaps more than once.
 */
export function readBody(
  response: Readable,
  { bodyContains, json }: Wanted,
  end: (body: Body) => void,
  fail: (error: unknown) => void,
): void {
  const wanted = bodyContains === undefined ? undefined : Buffer.from(bodyContains)
  const chunks: Buffer[] = []
  let length = 0
  let found = false
  let tail: Buffer = Buffer.alloc(0)
  const body = (cut: boolean): Body => ({ found, cut, bytes: Buffer.concat(chunks) })
  response.on('error', fail)
  response.on('aborted', () => fail({ code: 'ECONNRESET' }))
  response.on('end', () => end(body(false)))
  response.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, BODY_LIMIT - length)
    length += kept.length
    if (json !== undefined) chunks.push(kept)
    if (wanted !== undefined && !found) {
      const seen = Buffer.concat([tail, kept])
      found = seen.includes(wanted)
      tail = seen.subarray(Math.max(0, seen.length - wanted.length + 1))
    }
    if (found && json === undefined) end(body(false))
    else if (length >= BODY_LIMIT) end(body(true))
  })
}
