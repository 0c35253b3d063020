import type { HttpProbeSettings } from '../../model/probe.js'
import { shorten } from '../../model/text.js'
import { failure, type Finding } from './explain.js'
import { BODY_LIMIT } from './http-body.js'
import { UnsendableError, type HttpAnswer } from './http-exchange.js'
import type { ProxyBlame } from './http-proxy-blame.js'
import { hostOf } from './http-proxy.js'
import { isTunnelled, nameOf, ProxyError, type Route, type Stage } from './http-wire.js'
import { judgeJson } from './json.js'
import { noAnswer } from './socket.js'

/** How an exchange ended. */
export type Ended =
  | { readonly how: 'answered'; readonly answer: HttpAnswer }
  | { readonly how: 'failed'; readonly error: unknown; readonly stage: Stage }
  | { readonly how: 'late'; readonly stage: Stage }

/** The finding on the provider, or a fault of this worker or its proxy. */
export function judgeEnded(
  settings: HttpProbeSettings,
  ended: Ended,
  route: Route,
  blame: ProxyBlame,
): Finding {
  const { proxy } = route
  if (ended.how === 'failed' && ended.error instanceof UnsendableError) return ofWorker(ended.error.message)
  if (proxy !== undefined) return judgeProxied(settings, ended, { ...route, proxy }, blame)
  return judgeDirect(settings, ended)
}

function judgeDirect(settings: HttpProbeSettings, ended: Ended): Finding {
  switch (ended.how) {
    case 'answered':
      return judgeAnswer(settings, ended.answer)
    case 'failed':
      return failure(ended.error)
    case 'late':
      return noAnswer(settings.timeoutMs)
    default:
      return ended satisfies never
  }
}

function judgeProxied(
  settings: HttpProbeSettings,
  ended: Ended,
  route: Route & { readonly proxy: URL },
  blame: ProxyBlame,
): Finding {
  const [proxy, host] = [nameOf(route.proxy), hostOf(route.url)]
  if (ended.how === 'answered') {
    if (ended.answer.status === 407 && !isTunnelled(route))
      return ofWorker(`the proxy ${proxy} answered HTTP 407`)
    const finding = judgeAnswer(settings, ended.answer)
    if ('prober' in finding) return finding
    if (finding.status === 'healthy') blame.carried(proxy, host)
    return { ...finding, viaProxy: true }
  }
  const error = ended.how === 'failed' && ended.error instanceof ProxyError ? ended.error : undefined
  if (error?.certain === true) return ofWorker(error.message)
  if (ended.stage === 'proxy')
    return ofWorker(`the proxy ${proxy} cannot be reached within ${settings.timeoutMs} ms`)
  const finding: Finding =
    error === undefined ? judgeDirect(settings, ended) : { status: 'unhealthy', detail: error.message }
  if ('prober' in finding) return finding
  if (ended.stage === 'provider' || blame.isProvider(proxy, host)) return { ...finding, viaProxy: true }
  return ofWorker(`${finding.detail}: the proxy ${proxy} may be what failed`)
}

const ofWorker = (reason: string): Finding => ({ prober: true, reason })

/** Judges an answer by what the settings ask for; `degradedMs` is judged where the time is measured. */
function judgeAnswer(settings: HttpProbeSettings, { body, status }: HttpAnswer): Finding {
  const { bodyContains, json } = settings
  const detail = `HTTP ${status}`
  const but = (complaint: string): Finding => ({ status: 'unhealthy', detail: `${detail}, but ${complaint}` })
  if (!isExpected(settings, status)) return { status: 'unhealthy', detail }
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

export const isExpected = ({ expectStatus }: HttpProbeSettings, status: number): boolean =>
  expectStatus.some((expected) => matches(expected, status))

const matches = (expected: number | string, status: number): boolean =>
  typeof expected === 'string' && expected.endsWith('xx')
    ? Math.floor(status / 100) === Number(expected[0])
    : Number(expected) === status

const quote = (text: string): string => JSON.stringify(shorten(text, 40, '...'))
