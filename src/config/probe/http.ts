import type { HttpProbeSettings } from '../../model/probe.js'
import { DEFAULTS } from '../defaults.js'
import { anyText, complete, literal, matching, oneOf, text } from '../fields.js'
import { BROKEN_REFERENCE, hasBrokenReference } from '../references.js'
import { optional, Problem, record, refine, withDefault, type Schema } from '../schema.js'
import { ANSWERING, probeOf } from './common.js'
import { jsonConditions } from './json.js'

const d = DEFAULTS.httpProbe

const URL_ERROR = 'expected an absolute http: or https: URL'
const httpUrl = refine(anyText(2_048, URL_ERROR), (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Problem(URL_ERROR)
  // A password is not for messages, nor for Redis.
  if (url.username !== '' || url.password !== '') throw complete(`${URL_ERROR} without credentials`)
  if (hasBrokenReference(value)) throw new Problem(BROKEN_REFERENCE)
  return value
})

const STATUS_ERROR = 'expected a status from 100 to 599, or a class such as 2xx'
const MAX_STATUSES = 50
const isStatus = (value: unknown): value is number | string =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599) ||
  (typeof value === 'string' && /^[1-5](xx|[0-9][0-9])$/.test(value))

/** One status, or a list of them; the path of what is wrong is that of the very one. */
const statuses: Schema<(number | string)[]> = (value) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const bad = list.findIndex((one) => !isStatus(one))
  if (bad >= 0) throw new Problem(STATUS_ERROR, Array.isArray(value) ? [String(bad)] : [])
  if (list.length === 0 || list.length > MAX_STATUSES) throw new Problem(STATUS_ERROR)
  return list.filter(isStatus)
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const HEADERS_ERROR = 'expected header names and values as HTTP allows them'
// What is refused are the control characters but the tab: they could end the header, or the request.
const headerValue = refine(matching(4_096, /^(?:[^\p{Cc}]|\t)*$/u, HEADERS_ERROR), (value) => {
  if (hasBrokenReference(value)) throw complete(BROKEN_REFERENCE)
  return value
})

/** Code that copies headers one by one would lose the one in silence. */
const isHeaderName = (name: string) => HEADER_NAME.test(name) && name !== '__proto__'

const body = refine(text(4_096), (value) => {
  if (value === '') throw new Problem('expected some text')
  return value
})

export const httpProbe: Schema<HttpProbeSettings> = probeOf({
  ...ANSWERING,
  kind: literal('http'),
  url: httpUrl,
  method: withDefault(oneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']), d.method),
  headers: withDefault(record(headerValue, HEADERS_ERROR, isHeaderName), {}),
  expectStatus: withDefault(statuses, [...d.expectStatus]),
  bodyContains: optional(body),
  json: optional(jsonConditions),
})
