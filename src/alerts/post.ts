import { createHmac } from 'node:crypto'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { namesPause, pauseOf } from '../client/shared/retry-after.js'
import { HIDDEN, redactText } from '../model/redact.js'
import type { StagedMessage } from '../model/ports/hook-store.js'
import { shorten } from '../model/text.js'
import { packageVersion } from '../package/version.js'
import { clean } from '../view/format.js'
import type { Destination } from './destination.js'

/** How one attempt ended. Neither has the URL, its host or the secret. */
export type PostEnd =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The pause that a 429 or 503 asks for, ms; 0 when none. */
      readonly pauseMs: number
      /** The beginning of the body, cleaned: for the person who tests a hook alone. */
      readonly excerpt: string
      readonly elapsedMs: number
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly elapsedMs: number }

/** One attempt ends within this, ms: name, connection, TLS, answer and what is read of its body. */
const TIMEOUT_MS = 10_000
const MAX_BYTES = 4_096
const MAX_EXCERPT = 200

export const isDelivered = (end: PostEnd): boolean =>
  end.kind === 'answered' && end.status >= 200 && end.status < 300

/** `HTTP 500`, `timeout`, `ECONNREFUSED`. */
export const wordsOf = (end: PostEnd): string => (end.kind === 'answered' ? `HTTP ${end.status}` : end.reason)

/**
 * Sends a message once, over a connection of its own. No redirect is followed: it could lead into a network that the URL
 * does not. Nothing is decompressed, and no more than 4 KiB of the answer are read. Never rejects.
 */
export async function post(
  { url, secret }: Destination,
  message: StagedMessage,
  workerId: string,
): Promise<PostEnd> {
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const response = await send(url, headersOf(message, secret, workerId), message.body, signal)
    const { statusCode: status = 0, headers } = response
    const pauseMs = (status === 429 || status === 503) && namesPause(headers) ? pauseOf(headers) : 0
    const excerpt = excerptOf(await beginningOf(response), { url, secret })
    return { kind: 'answered', status, pauseMs, excerpt, elapsedMs: elapsed() }
  } catch (error) {
    const reason = signal.aborted ? `timeout after ${TIMEOUT_MS} ms` : codeOf(error)
    return { kind: 'failed', reason, elapsedMs: elapsed() }
  }
}

/** The bytes that are signed: the time in seconds, a dot, the delivery, a dot, the bytes of the body. */
export const signatureOf = (secret: string, timestamp: string, { delivery, body }: StagedMessage): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${delivery}.${body}`).digest('hex')}`

function headersOf(
  message: StagedMessage,
  secret: string | undefined,
  workerId: string,
): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(message.body)),
    'user-agent': `busbar-alerts/${packageVersion()} (${workerId})`,
    'busbar-delivery': message.delivery,
    'busbar-timestamp': timestamp,
    ...(secret === undefined ? {} : { 'busbar-signature': signatureOf(secret, timestamp, message) }),
  }
}

function send(
  url: URL,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const open = url.protocol === 'https:' ? tlsRequest : plainRequest
    open(url, { method: 'POST', headers, agent: false, signal })
      .on('response', resolve)
      .on('error', reject)
      .end(body)
  })
}

/** A body that breaks off, or does not end, takes nothing from the status. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= MAX_BYTES) break
    }
  } catch {
    // It was cut off, or its time is over.
  } finally {
    response.destroy()
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8')
}

/** A receiver may repeat what it was asked. */
function excerptOf(body: string, { url, secret }: Destination): string {
  const hidden = [url.href, `${url.pathname}${url.search}`, url.pathname, url.search, secret ?? '']
  const masked = hidden
    .filter((text) => text.length > 1)
    .reduce((text, one) => text.replaceAll(one, HIDDEN), body)
  return shorten(clean(redactText(masked)).trim(), MAX_EXCERPT)
}

/** Messages of Node name the host, which may be the secret part of an address. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : 'the request failed'
}
