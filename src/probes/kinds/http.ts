import { DEFAULTS } from '../../config/defaults.js'
import type { HttpProbeSettings, ProbeFinding } from '../../model/probe.js'
import { withTimeout } from '../../model/timeout.js'
import { packageVersion } from '../../package/version.js'
import { exchange, hasHeader, type HttpRequest } from './http-exchange.js'
import { isExpected, judgeExchange, type ExchangeOutcome } from './http-judge.js'
import { ProxyBlame } from './http-proxy-blame.js'
import { hostOf, proxyFor } from './http-proxy.js'
import { Opened } from './http-wire.js'
import { addressIn, ANY_WORKER, type KindOfProbe } from './kind.js'
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
 *
 * Only what the provider did is charged to it. A request that node does not send, and a proxy that fails, are the
 * worker's.
 */
export interface HttpProbeOptions {
  /** Named in the user agent, so that a provider's log tells who asked. */
  readonly workerId: string
  /** The record of which proxies work; default: one that all probes of the process share. */
  readonly blame?: ProxyBlame
}

const BLAME = new ProxyBlame()

/** Never rejects: whatever happens is a finding. */
export function probeHttp(
  settings: HttpProbeSettings,
  { blame = BLAME, workerId }: HttpProbeOptions,
): Promise<ProbeFinding> {
  return timed(settings, async () => {
    try {
      const request = requestOf(settings, workerId)
      return judgeExchange(settings, await exchangeWithin(settings.timeoutMs, request), request.route, blame)
    } catch (error) {
      if (!(error instanceof SecretError)) throw error
      return { kind: 'prober_error', reason: error.message }
    }
  })
}

export const httpKind: KindOfProbe<HttpProbeSettings> = {
  ...ANY_WORKER,
  run: (probe, _, { workerId }) => probeHttp(probe, { workerId }),
  address: ({ url }) => addressIn(url),
  judgesSnapshot: false,
}

/** @throws SecretError */
function requestOf(settings: HttpProbeSettings, workerId: string): HttpRequest {
  const { body, headers, http2, method, proxy, url: text } = withSecrets(settings)
  const url = new URL(text)
  const { host = url.host } = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const userAgent = { 'user-agent': `busbar-probe/${packageVersion()} (${workerId})` }
  return {
    route: {
      url,
      proxy: proxyFor(url, proxy ?? DEFAULTS.httpRoute.proxy),
      // The name that the server is to answer for, as with every client of HTTP.
      tlsHost: URL.canParse(`https://${host}`) ? hostOf(new URL(`https://${host}`)) : hostOf(url),
      http2: http2 ?? DEFAULTS.httpRoute.http2,
    },
    method,
    headers: { ...(hasHeader(headers, 'user-agent') ? {} : userAgent), ...headers },
    body,
    wanted: settings,
    isUnexpected: (status) => !isExpected(settings, status),
  }
}

/** Ends within `timeoutMs`; then nothing that it opened is left. */
async function exchangeWithin(timeoutMs: number, request: HttpRequest): Promise<ExchangeOutcome> {
  const opened = new Opened()
  const ended = exchange(request, opened).then(
    (answer): ExchangeOutcome => ({ kind: 'answered', answer }),
    (error: unknown): ExchangeOutcome => ({ kind: 'failed', error, stage: opened.stage }),
  )
  const first = await withTimeout(ended, timeoutMs, (): ExchangeOutcome => ({
    kind: 'timeout',
    stage: opened.stage,
  }))
  opened.destroy()
  return first
}
