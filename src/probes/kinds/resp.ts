/**
 * Reads what a Redis answers, as far as a probe needs it: RESP 2, bounded in size and depth. A client library would
 * reconnect, retry and queue, and a probe wants none of that: one connection, one answer, and the truth about both.
 */
export type RespReply =
  | { readonly type: 'text' | 'error'; readonly text: string }
  | { readonly type: 'null' }
  | { readonly type: 'array'; readonly items: readonly RespReply[] }

/** More than this no answer to PING or ROLE is long, bytes. */
export const RESP_LIMIT = 65_536
const MAX_DEPTH = 4
const MAX_ITEMS = 10_000

export class NotRedisError extends Error {
  readonly code = 'NOT_REDIS'

  constructor() {
    super('the answer is not that of a Redis')
  }
}

/** A command as Redis wants it. */
export const encodeCommand = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/**
 * The replies at the beginning of `bytes` that have come in full, `count` at most.
 * @throws NotRedisError
 */
export function readReplies(bytes: Buffer, count: number): readonly RespReply[] {
  const replies: RespReply[] = []
  let at = 0
  while (replies.length < count && at < bytes.length) {
    const read = readReply(bytes, at, 0)
    if (read === undefined) break
    replies.push(read.reply)
    at = read.next
  }
  return replies
}

interface Read {
  readonly reply: RespReply
  readonly next: number
}

function readReply(bytes: Buffer, at: number, depth: number): Read | undefined {
  const kind = String.fromCharCode(bytes[at] ?? 0)
  if (!'+-:$*'.includes(kind) || depth > MAX_DEPTH) throw new NotRedisError()
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', at + 1, lineEnd)
  const next = lineEnd + 2
  if (kind === '-') return { reply: { type: 'error', text: line }, next }
  if (kind === '+' || kind === ':') return { reply: { type: 'text', text: line }, next }
  const length = Number(line)
  if (!/^-?\d{1,9}$/.test(line) || length < -1) throw new NotRedisError()
  if (length === -1) return { reply: { type: 'null' }, next }
  return kind === '$' ? readBulk(bytes, next, length) : readArray(bytes, next, length, depth)
}

function readBulk(bytes: Buffer, at: number, length: number): Read | undefined {
  if (bytes.length < at + length + 2) return undefined
  return { reply: { type: 'text', text: bytes.toString('utf8', at, at + length) }, next: at + length + 2 }
}

function readArray(bytes: Buffer, at: number, length: number, depth: number): Read | undefined {
  if (length > MAX_ITEMS) throw new NotRedisError()
  const items: RespReply[] = []
  let next = at
  while (items.length < length) {
    if (next >= bytes.length) return undefined
    const read = readReply(bytes, next, depth + 1)
    if (read === undefined) return undefined
    items.push(read.reply)
    next = read.next
  }
  return { reply: { type: 'array', items }, next }
}
