import * as v from 'valibot'
import { refuse } from '../check.js'
import { DEFAULTS } from '../defaults.js'
import { bool, matching, oneOf, text } from '../fields.js'
import { fieldsOf, recordOf } from '../objects.js'
import { BROKEN_REFERENCE, hasBrokenReference, isSendable, replaceReferences } from '../references.js'
import { ANSWERING, clashOfTimes, complete } from './common.js'
import { clashOfRequest } from './http-request.js'
import { jsonConditions } from './json.js'
import { proxy } from './proxy.js'

const d = DEFAULTS.httpProbe

const URL_ERROR = 'expected an absolute http: or https: URL'
const httpUrl = v.pipe(
  v.string(URL_ERROR),
  v.maxLength(2_048, URL_ERROR),
  refuse((value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return { message: URL_ERROR }
    if (url.port === '0') return { message: `${URL_ERROR} with a port from 1 to 65535` }
    // A password would stand in messages and in Redis.
    if (url.username !== '' || url.password !== '')
      return { message: `${URL_ERROR} without credentials`, complete: true }
    return hasBrokenReference(value) ? { message: BROKEN_REFERENCE } : undefined
  }),
)

const STATUS_ERROR = 'expected a status from 100 to 599, or a class such as 2xx'
const MAX_STATUSES = 50
const isStatus = (value: unknown): value is number | string =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599) ||
  (typeof value === 'string' && /^[1-5](xx|[0-9][0-9])$/.test(value))

/** One status, or a list. An error names the path of the wrong entry. */
const statuses = v.pipe(
  v.unknown(),
  refuse((value) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    const bad = list.findIndex((one) => !isStatus(one))
    if (bad < 0 && list.length > 0 && list.length <= MAX_STATUSES) return undefined
    return { path: Array.isArray(value) && bad >= 0 ? [bad] : [], message: STATUS_ERROR }
  }),
  v.transform((value) => (Array.isArray(value) ? value : [value]).filter(isStatus)),
)

const HEADERS_ERROR = 'expected header names and values as HTTP allows them'
const headerName = matching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, HEADERS_ERROR)
// Control characters except the tab could end the header, or the request. Characters beyond Latin-1 cannot be sent.
const headerValue = v.pipe(
  v.string(HEADERS_ERROR),
  v.maxLength(4_096, HEADERS_ERROR),
  v.check((value) => isSendable(replaceReferences(value, () => '')), HEADERS_ERROR),
  refuse((value) => (hasBrokenReference(value) ? { message: BROKEN_REFERENCE, complete: true } : undefined)),
)

const headers = v.pipe(
  v.unknown(),
  refuse((value) =>
    // `recordOf` leaves this name out, so that it would be lost in silence.
    typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')
      ? { path: ['__proto__'], message: HEADERS_ERROR }
      : undefined,
  ),
  recordOf(headerName, headerValue, HEADERS_ERROR),
)

const someText = (maxLength: number) => v.pipe(text(maxLength), v.nonEmpty('expected some text'))
const body = v.pipe(
  someText(16_384),
  v.check((value) => !hasBrokenReference(value), BROKEN_REFERENCE),
)

export const httpProbe = v.pipe(
  fieldsOf({
    ...ANSWERING,
    kind: v.literal('http'),
    url: httpUrl,
    method: v.optional(oneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']), d.method),
    headers: v.optional(headers, {}),
    body: v.optional(body),
    proxy: v.optional(proxy),
    http2: v.optional(bool()),
    expectStatus: v.optional(statuses, [...d.expectStatus]),
    bodyContains: v.optional(someText(4_096)),
    json: v.optional(jsonConditions),
  }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe) ?? clashOfRequest(probe)),
)
