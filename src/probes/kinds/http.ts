import { readFileSync } from 'node:fs'
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { HttpProbeSettings, ProbeResult } from '../../model/settings.js'
import { explainError } from './explain.js'

/**
 * One HTTP request as a health check.
 *
 * It opens a connection of its own and destroys it at the end, so that each probe finds out about name resolution,
 * connection and TLS afresh, and nothing outlives it. `fetch` cannot promise that: it takes an idle connection of
 * the application's own traffic where there is one, and an aborted connection attempt goes on without it. No
 * redirect is followed and nothing is decompressed. The whole of it, to the last byte of the body, ends within
 * `timeoutMs`.
 */
export interface HttpProbeOptions {
  /** Named in the user agent, so that a provider's log tells who asked. */
  readonly workerId: string
  /** Ends the probe early; its result then says nothing about the provider. */
  readonly signal?: AbortSignal
}

/** Of a body, no more than this is read, bytes. */
export const BODY_LIMIT = 65_536

/** Never rejects: whatever happens is a result. */
export async function probeHttp(
  settings: HttpProbeSettings,
  options: HttpProbeOptions,
): Promise<ProbeResult> {
  const startedAt = performance.now()
  const ended = await exchange(settings, options)
  const elapsedMs = Math.round(performance.now() - startedAt)
  return { ...judge(settings, ended, elapsedMs), elapsedMs }
}

type Finding = Omit<ProbeResult, 'elapsedMs'>

/** How the exchange ended. `body`: whether the wanted text came, or why the reading ended without it. */
type Ended =
  | { readonly how: 'answered'; readonly status: number; readonly body: 'found' | 'complete' | 'limit' }
  | { readonly how: 'failed'; readonly error: unknown }
  | { readonly how: 'late' }
  | { readonly how: 'cancelled' }

function judge(settings: HttpProbeSettings, ended: Ended, elapsedMs: number): Finding {
  const { bodyContains, degradedMs, expectStatus, timeoutMs } = settings
  if (ended.how === 'late') return { status: 'timeout', detail: `no answer within ${timeoutMs} ms` }
  if (ended.how === 'cancelled') return { status: 'unhealthy', detail: 'the probe was cancelled' }
  if (ended.how === 'failed') return { status: 'unhealthy', detail: explainError(ended.error) }
  const detail = `HTTP ${ended.status}`
  if (!expectStatus.some((expected) => matches(expected, ended.status)))
    return { status: 'unhealthy', detail }
  if (bodyContains !== undefined && ended.body !== 'found') {
    const where = ended.body === 'limit' ? `the first ${BODY_LIMIT / 1_024} KiB of the body` : 'the body'
    return { status: 'unhealthy', detail: `${detail}, but ${where} lacks ${quote(bodyContains)}` }
  }
  if (degradedMs !== undefined && elapsedMs > degradedMs)
    return { status: 'degraded', detail: `${detail} after ${elapsedMs} ms` }
  return { status: 'healthy', detail }
}

const matches = (expected: number | string, status: number): boolean =>
  typeof expected === 'string' && expected.endsWith('xx')
    ? Math.floor(status / 100) === Number(expected[0])
    : Number(expected) === status

const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)

function exchange(settings: HttpProbeSettings, options: HttpProbeOptions): Promise<Ended> {
  return new Promise((resolve) => {
    let request: ClientRequest | undefined
    const end = (ended: Ended) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', cancel)
      resolve(ended)
      request?.destroy()
    }
    const fail = (error: unknown) => end({ how: 'failed', error })
    const cancel = () => end({ how: 'cancelled' })
    const timer = setTimeout(() => end({ how: 'late' }), settings.timeoutMs)
    options.signal?.addEventListener('abort', cancel, { once: true })
    if (options.signal?.aborted === true) {
      cancel()
      return
    }
    try {
      request = send(settings, options.workerId)
    } catch (error) {
      fail(error)
      return
    }
    // The listeners stay after the end: destroying the request may bring one more error.
    request.on('error', fail)
    request.on('close', () => fail({ code: 'ECONNRESET' }))
    request.on('response', (response) => readBody(response, settings.bodyContains, end, fail))
    request.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      end({ how: 'answered', status: statusCode, body: 'complete' })
    })
    request.end()
  })
}

function send({ url, method, headers }: HttpProbeSettings, workerId: string): ClientRequest {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent')
  const userAgent = named ? {} : { 'user-agent': `busbar-probe/${packageVersion()} (${workerId})` }
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return request(url, { method, headers: { ...userAgent, ...headers }, agent: false })
}

/** Reads until the text is found, the body ends, or the limit is reached. The text may span chunks. */
function readBody(
  response: IncomingMessage,
  text: string | undefined,
  end: (ended: Ended) => void,
  fail: (error: unknown) => void,
): void {
  const status = response.statusCode ?? 0
  const wanted = text === undefined ? undefined : Buffer.from(text)
  let length = 0
  let tail: Buffer = Buffer.alloc(0)
  response.on('error', fail)
  response.on('end', () => end({ how: 'answered', status, body: 'complete' }))
  response.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, BODY_LIMIT - length)
    length += kept.length
    if (wanted !== undefined) {
      const seen = Buffer.concat([tail, kept])
      if (seen.includes(wanted)) {
        end({ how: 'answered', status, body: 'found' })
        return
      }
      tail = seen.subarray(Math.max(0, seen.length - wanted.length + 1))
    }
    if (length >= BODY_LIMIT) end({ how: 'answered', status, body: 'limit' })
  })
}

let version: string | undefined

/** Read at the first probe; the same relative place from `src/` and from `dist/`. */
function packageVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  try {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    const manifest: unknown = JSON.parse(text)
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
      return String(manifest.version)
  } catch {
    // Bundled into something else: no reason not to probe.
  }
  return 'unknown'
}
