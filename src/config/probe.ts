import { z } from 'zod'
import type { ProbeSettings } from '../model/settings.js'
import { CLASH } from './check.js'
import { DEFAULTS } from './defaults.js'
import { DAY, oneOf, text, whole } from './fields.js'

const d = DEFAULTS.httpProbe

const URL_ERROR = 'expected an absolute http: or https: URL'
const httpUrl = z
  .string({ error: URL_ERROR })
  .max(2_048, { error: URL_ERROR })
  .refine(isHttpUrl, { error: URL_ERROR })

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
}

const STATUS_ERROR = 'expected a status from 100 to 599, or a class such as 2xx'
const statusCode = z.union([z.int().min(100).max(599), z.string().regex(/^([1-5]xx|[1-5][0-9][0-9])$/)], {
  error: STATUS_ERROR,
})

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const HEADERS_ERROR = 'expected header names and values as HTTP allows them'
// What is refused are the control characters but the tab: they could end the header, or the request.
const headerValue = z
  .string({ error: HEADERS_ERROR })
  .max(4_096, { error: HEADERS_ERROR })
  .refine((value) => !/\p{Cc}/u.test(value.replaceAll('\t', '')), { error: HEADERS_ERROR })

const http = z
  .strictObject({
    kind: z.literal('http'),
    url: httpUrl,
    method: oneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default(d.method),
    headers: z
      .record(z.string().regex(HEADER_NAME, { error: HEADERS_ERROR }), headerValue, { error: HEADERS_ERROR })
      .default({}),
    expectStatus: z.preprocess(
      (value) => (Array.isArray(value) || value === undefined ? value : [value]),
      z
        .array(statusCode, { error: STATUS_ERROR })
        .min(1, { error: STATUS_ERROR })
        .max(50, { error: STATUS_ERROR })
        .default([...d.expectStatus]),
    ),
    bodyContains: text(4_096).min(1, { error: 'expected some text' }).optional(),
    degradedMs: whole(1, DAY).optional(),
    intervalMs: whole(10, DAY).default(d.intervalMs),
    timeoutMs: whole(1, DAY).optional(),
  })
  .transform((probe): ProbeSettings => {
    const { bodyContains, degradedMs, ...rest } = probe
    const timeoutMs = probe.timeoutMs ?? Math.min(d.timeoutMs, probe.intervalMs)
    return {
      ...rest,
      timeoutMs,
      ...(bodyContains === undefined ? {} : { bodyContains }),
      ...(degradedMs === undefined ? {} : { degradedMs }),
    }
  })
  .superRefine((probe, context) => {
    const clash = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, ...CLASH })
    if (probe.timeoutMs > probe.intervalMs) {
      clash(
        'timeoutMs',
        `timeoutMs ${probe.timeoutMs} is longer than intervalMs ${probe.intervalMs}: two probes would overlap`,
      )
    }
    if (probe.degradedMs !== undefined && probe.degradedMs >= probe.timeoutMs) {
      clash(
        'degradedMs',
        `degradedMs ${probe.degradedMs} is not below timeoutMs ${probe.timeoutMs}: no answer could be degraded`,
      )
    }
  })

/** The kinds of probes that exist. */
const KINDS = ['http'] as const

/** A health check: `kind` says which schema it must fit. */
export const probeSchema = z
  .looseObject({ kind: oneOf(KINDS) }, { error: 'expected an object with kind and url' })
  .pipe(http)
