import { z } from 'zod'
import type { HttpProbeSettings } from '../../model/probe.js'
import { COMPLETE } from '../check.js'
import { DEFAULTS } from '../defaults.js'
import { oneOf, text } from '../fields.js'
import { BROKEN_REFERENCE, hasBrokenReference } from '../references.js'
import { ANSWERING, checkTimes, complete } from './common.js'
import { jsonConditions } from './json.js'

const d = DEFAULTS.httpProbe

const URL_ERROR = 'expected an absolute http: or https: URL'
const httpUrl = z
  .string({ error: URL_ERROR })
  .max(2_048, { error: URL_ERROR })
  .superRefine((value, context) => {
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
      context.addIssue({ code: 'custom', message: URL_ERROR })
    } else if (url.username !== '' || url.password !== '') {
      // A password is not for messages, nor for Redis.
      context.addIssue({ code: 'custom', message: `${URL_ERROR} without credentials`, ...COMPLETE })
    } else if (hasBrokenReference(value)) {
      context.addIssue({ code: 'custom', message: BROKEN_REFERENCE })
    }
  })

const STATUS_ERROR = 'expected a status from 100 to 599, or a class such as 2xx'
const MAX_STATUSES = 50
const isStatus = (value: unknown): value is number | string =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599) ||
  (typeof value === 'string' && /^[1-5](xx|[0-9][0-9])$/.test(value))

/** One status, or a list of them; the path of what is wrong is that of the very one. */
const statuses = z
  .unknown()
  .superRefine((value, context) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    const bad = list.findIndex((one) => !isStatus(one))
    if (bad < 0 && list.length > 0 && list.length <= MAX_STATUSES) return
    const path = Array.isArray(value) && bad >= 0 ? [bad] : []
    context.addIssue({ code: 'custom', path, message: STATUS_ERROR })
  })
  .transform((value) => (Array.isArray(value) ? value : [value]).filter(isStatus))

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const HEADERS_ERROR = 'expected header names and values as HTTP allows them'
// What is refused are the control characters but the tab: they could end the header, or the request.
const headerValue = z
  .string({ error: HEADERS_ERROR })
  .max(4_096, { error: HEADERS_ERROR })
  .refine((value) => !/\p{Cc}/u.test(value.replaceAll('\t', '')), { error: HEADERS_ERROR })
  .refine((value) => !hasBrokenReference(value), { error: BROKEN_REFERENCE, ...COMPLETE })

const headers = z
  .unknown()
  .superRefine((value, context) => {
    // The one name that a record would leave out in silence.
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')) {
      context.addIssue({ code: 'custom', path: ['__proto__'], message: HEADERS_ERROR })
    }
  })
  .pipe(
    z.record(z.string().regex(HEADER_NAME, { error: HEADERS_ERROR }), headerValue, { error: HEADERS_ERROR }),
  )

export const httpProbe = z
  .strictObject({
    ...ANSWERING,
    kind: z.literal('http'),
    url: httpUrl,
    method: oneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default(d.method),
    headers: headers.default({}),
    expectStatus: statuses.default([...d.expectStatus]),
    bodyContains: text(4_096).min(1, { error: 'expected some text' }).optional(),
    json: jsonConditions.optional(),
  })
  .transform((probe): HttpProbeSettings => complete(probe))
  .superRefine(checkTimes)
