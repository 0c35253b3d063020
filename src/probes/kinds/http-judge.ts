import type { HttpProbeSettings } from '../../model/probe.js'
import { shorten } from '../../model/text.js'
import { failure, type UntimedFinding } from './explain.js'
import { BODY_LIMIT } from './http-body.js'
import { UnsendableError, type HttpAnswer } from './http-exchange.js'
import type { ProxyBlame } from './http-proxy-blame.js'
import { hostOf } from './http-proxy.js'
import { isTunnelled, nameOf, ProxyError, type Route, type Stage } from './http-wire.js'
import { judgeJson } from './json.js'
import { noAnswer } from './socket.js'

/** How an exchange ended. */
export type ExchangeOutcome =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer }
  | { readonly kind: 'failed'; readonly error: unknown; readonly stage: Stage }
  | { readonly kind: 'timeout'; readonly stage: Stage }

/** The finding on the provider, or a fault of this worker or its proxy. */
export function judgeExchange(
  settings: HttpProbeSettings,
  outcome: ExchangeOutcome,
  route: Route,
  blame: ProxyBlame,
): UntimedFinding {
  const { proxy } = route
  if (outcome.kind === 'failed' && outcome.error instanceof UnsendableError)
    return ofWorker(outcome.error.message)
  if (proxy !== undefined) return judgeProxied(settings, outcome, { ...route, proxy }, blame)
  return judgeDirect(settings, outcome)
}

function judgeDirect(settings: HttpProbeSettings, outcome: ExchangeOutcome): UntimedFinding {
  switch (outcome.kind) {
    case 'answered':
      return judgeAnswer(settings, outcome.answer)
    case 'failed':
      return failure(outcome.error)
    case 'timeout':
      return noAnswer(settings.timeoutMs)
    default:
      return outcome satisfies never
  }
}

function judgeProxied(
  settings: HttpProbeSettings,
  outcome: ExchangeOutcome,
  route: Route & { readonly proxy: URL },
  blame: ProxyBlame,
): UntimedFinding {
  const [proxy, host] = [nameOf(route.proxy), hostOf(route.url)]
  if (outcome.kind === 'answered') {
    if (outcome.answer.status === 407 && !isTunnelled(route))
      return ofWorker(`the proxy ${proxy} answered HTTP 407`)
    const finding = judgeAnswer(settings, outcome.answer)
    if (finding.kind === 'prober_error') return finding
    if (finding.status === 'healthy') blame.carried(proxy, host)
    return { ...finding, viaProxy: true }
  }
  const error = outcome.kind === 'failed' && outcome.error instanceof ProxyError ? outcome.error : undefined
  if (error?.certain === true) return ofWorker(error.message)
  if (outcome.stage === 'proxy')
    return ofWorker(`the proxy ${proxy} cannot be reached within ${settings.timeoutMs} ms`)
  const finding: UntimedFinding =
    error === undefined
      ? judgeDirect(settings, outcome)
      : { kind: 'judged', status: 'unhealthy', detail: error.message }
  if (finding.kind === 'prober_error') return finding
  if (outcome.stage === 'provider' || blame.isProvider(proxy, host)) return { ...finding, viaProxy: true }
  return ofWorker(`${finding.detail}: the proxy ${proxy} may be what failed`)
}

const ofWorker = (reason: string): UntimedFinding => ({ kind: 'prober_error', reason })

/** Judges an answer by what the settings ask for; `degradedMs` is judged where the time is measured. */
function judgeAnswer(settings: HttpProbeSettings, { body, status }: HttpAnswer): UntimedFinding {
  const { bodyContains, json } = settings
  const detail = `HTTP ${status}`
  const but = (complaint: string): UntimedFinding => ({
    kind: 'judged',
    status: 'unhealthy',
    detail: `${detail}, but ${complaint}`,
  })
  if (!isExpected(settings, status)) return { kind: 'judged', status: 'unhealthy', detail }
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
  return { kind: 'judged', status: 'healthy', detail }
}

export const isExpected = ({ expectStatus }: HttpProbeSettings, status: number): boolean =>
  expectStatus.some((expected) => matches(expected, status))

const matches = (expected: number | string, status: number): boolean =>
  typeof expected === 'string' && expected.endsWith('xx')
    ? Math.floor(status / 100) === Number(expected[0])
    : Number(expected) === status

const quote = (text: string): string => JSON.stringify(shorten(text, 40, '...'))
