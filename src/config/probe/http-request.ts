import type { z } from 'zod'
import type { HttpProbeSettings } from '../../model/probe.js'
import { COMPLETE } from '../check.js'

/** Refuses settings that contradict each other: such a request or condition would fail at every probe. */
export function checkRequest(probe: HttpProbeSettings, context: z.RefinementCtx): void {
  const refuse = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message, ...COMPLETE })
  const { body, headers, http2, method } = probe
  if (body !== undefined && (method === 'GET' || method === 'HEAD'))
    refuse(['body'], `body is given with method ${method}, which sends none: give method POST`)
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase()
    if (FRAMING.has(lower))
      refuse(['headers', name], `the header ${lower} follows from what is sent, and cannot be given`)
    else if (http2 === true && HTTP1_ALONE.has(lower))
      refuse(['headers', name], `the header ${lower} does not exist in HTTP/2, and http2 is true`)
  }
  checkBodyConditions(probe, refuse)
}

/** They say how long the request is; the probe knows that, and sets them. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])

const HTTP1_ALONE: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
])

/** A condition on the body of an answer that never has one. */
function checkBodyConditions(
  { bodyContains, expectStatus, json, method }: HttpProbeSettings,
  refuse: (path: readonly string[], message: string) => void,
): void {
  const condition = bodyContains !== undefined ? 'bodyContains' : json !== undefined ? 'json' : undefined
  if (condition === undefined) return
  if (method === 'HEAD') refuse([condition], `${condition} is given with method HEAD: its answer has no body`)
  const empty = expectStatus.find((status) => EMPTY.test(String(status)))
  if (empty !== undefined)
    refuse(['expectStatus'], `expectStatus ${empty} is given with ${condition}: such an answer has no body`)
}

/** Statuses whose answers have no body, by RFC 9110. */
const EMPTY = /^(1..|204|304)$/
