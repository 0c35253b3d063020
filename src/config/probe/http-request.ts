import type { HttpProbeSettings } from '../../model/probe.js'
import { clash, type Problem } from '../check.js'

/** Finds settings that contradict each other: such a request or condition would fail at every probe. */
export const clashOfRequest = (probe: HttpProbeSettings): Problem | undefined =>
  uselessBody(probe) ?? uselessHeader(probe) ?? uselessCondition(probe)

function uselessBody({ body, method }: HttpProbeSettings): Problem | undefined {
  if (body === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined
  return clash(['body'], `body is given with method ${method}, which sends none: give method POST`)
}

function uselessHeader({ headers, http2 }: HttpProbeSettings): Problem | undefined {
  for (const name of Object.keys(headers)) {
    const path = ['headers', name]
    const lower = name.toLowerCase()
    if (FRAMING.has(lower))
      return clash(path, `the header ${lower} follows from what is sent, and cannot be given`)
    if (http2 === true && HTTP1_ALONE.has(lower))
      return clash(path, `the header ${lower} does not exist in HTTP/2, and http2 is true`)
  }
  return undefined
}

/** Headers with the length of the request: the probe sets them. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])

const HTTP1_ALONE: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
])

/** Finds a condition on the body of an answer that never has one. */
function uselessCondition(probe: HttpProbeSettings): Problem | undefined {
  const { bodyContains, expectStatus, json, method } = probe
  const condition = bodyContains !== undefined ? 'bodyContains' : json !== undefined ? 'json' : undefined
  if (condition === undefined) return undefined
  if (method === 'HEAD')
    return clash([condition], `${condition} is given with method HEAD: its answer has no body`)
  const empty = expectStatus.find((status) => EMPTY.test(String(status)))
  if (empty === undefined) return undefined
  return clash(
    ['expectStatus'],
    `expectStatus ${empty} is given with ${condition}: such an answer has no body`,
  )
}

/** Statuses whose answers have no body, by RFC 9110. */
const EMPTY = /^(1..|204|304)$/
