import { readFileSync } from 'node:fs'
import { request as requestHttp, type ClientRequest } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { HttpProbeSettings, ProbeFinding } from '../../model/probe.js'
import { shorten } from '../../model/text.js'
import { failure, type Finding } from './explain.js'
import { BODY_LIMIT, readBody, type Body } from './http-body.js'
import { judgeJson } from './json.js'
import { noAnswer } from './socket.js'
import { timed } from './timed.js'
import { SecretError, withSecrets } from '../secrets.js'

/**
 * One HTTP request as a health check.
 *
 * It opens a connection of its own and destroys it at the end, so that each probe finds out about name resolution,
 * connection and TLS afresh, and nothing outlives it. `fetch` cannot promise that: it takes an idle connection of
 * the application's own traffic where there is one, and an aborted connection attempt goes on without it. No
 * redirect is followed and nothing is decompressed. The whole of it, to the last byte of the body, ends within
 * `timeoutMs`, and of the body no more than 64 KiB are read.
 */
export interface HttpProbeOptions {
  /** Named in the user agent, so that a provider's log tells who asked. */
  readonly workerId: string
}

/** Never rejects: whatever happens is a finding. */
export async function probeHttp(
  settings: HttpProbeSettings,
  options: HttpProbeOptions,
): Promise<ProbeFinding> {
  try {
    const sent = withSecrets(settings)
    return await timed(settings, async () => judge(settings, await exchange(sent, options)))
  } catch (error) {
    if (!(error instanceof SecretError)) throw error
    return { prober: true, reason: error.message }
  }
}

/** How the exchange ended. */
type Ended =
  | { readonly how: 'answered'; readonly status: number; readonly body: Body }
  | { readonly how: 'failed'; readonly error: unknown }
  | { readonly how: 'late' }

function judge(settings: HttpProbeSettings, ended: Ended): Finding {
  const { bodyContains, expectStatus, json, timeoutMs } = settings
  if (ended.how === 'late') return noAnswer(timeoutMs)
  if (ended.how === 'failed') return failure(ended.error)
  const detail = `HTTP ${ended.status}`
  const but = (complaint: string): Finding => ({ status: 'unhealthy', detail: `${detail}, but ${complaint}` })
  if (!expectStatus.some((expected) => matches(expected, ended.status)))
    return { status: 'unhealthy', detail }
  const { body } = ended
  if (bodyContains !== undefined && !body.found) {
    const where = body.cut ? `the first ${BODY_LIMIT / 1_024} KiB of the body` : 'the body'
    return but(`${where} lacks ${quote(bodyContains)}`)
  }
  if (json !== undefined) {
    const complaint = body.cut
      ? `the body is longer than ${BODY_LIMIT / 1_024} KiB, too long to be judged as JSON`
      : judgeJson(body.bytes, json)
    if (complaint !== undefined) return but(complaint)
  }
  return { status: 'healthy', detail }
}

const matches = (expected: number | string, status: number): boolean =>
  typeof expected === 'string' && expected.endsWith('xx')
    ? Math.floor(status / 100) === Number(expected[0])
    : Number(expected) === status

const quote = (text: string): string => JSON.stringify(shorten(text, 40, '...'))

function exchange(settings: HttpProbeSettings, options: HttpProbeOptions): Promise<Ended> {
  return new Promise((resolve) => {
    let request: ClientRequest | undefined
    const end = (ended: Ended) => {
      clearTimeout(timer)
      resolve(ended)
      request?.destroy()
    }
    const fail = (error: unknown) => end({ how: 'failed', error })
    const timer = setTimeout(() => end({ how: 'late' }), settings.timeoutMs)
    try {
      request = send(settings, options.workerId)
    } catch (error) {
      fail(error)
      return
    }
    // The listeners stay after the end: destroying the request may bring one more error.
    request.on('error', fail)
    request.on('close', () => fail({ code: 'ECONNRESET' }))
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      readBody(response, settings, (body) => end({ how: 'answered', status: statusCode, body }), fail)
    })
    request.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      end({ how: 'answered', status: statusCode, body: NO_BODY })
    })
    request.end()
  })
}

const NO_BODY: Body = { found: false, cut: false, bytes: Buffer.alloc(0) }

function send({ url, method, headers }: HttpProbeSettings, workerId: string): ClientRequest {
  const named = Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent')
  const userAgent = named ? {} : { 'user-agent': `busbar-probe/${packageVersion()} (${workerId})` }
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  return request(url, { method, headers: { ...userAgent, ...headers }, agent: false })
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
