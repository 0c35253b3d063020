/** The pause after a 429 that names none, or none that makes sense, ms. */
export const DEFAULT_THROTTLE_MS = 1_000
/** The longest pause that an outcome may name, ms: a day. `breaker.maxThrottleMs` shortens it. */
export const MAX_THROTTLE_MS = 86_400_000

/** Headers in any shape that clients give them: something with `get`, or an object with names in any case. */
export type HeaderSource = object

/** Whether the provider said for how long it wants to be left alone: a 503 that says so is a pause, not a failure. */
export const namesPause = (headers: HeaderSource | undefined): boolean =>
  headers !== undefined && ['retry-after', 'retry-after-ms'].some((name) => header(headers, name) !== '')

/**
 * For how long the provider asked to be left alone, ms: `retry-after-ms` (OpenAI, Azure), `Retry-After` (RFC 9110: seconds or a
 * date; fractions of a second are common), `x-ratelimit-reset-after` (Discord: seconds). What makes no sense or lies in
 * the past is the default, never 0: a provider that has just refused must not be called again at once.
 */
export function pauseOf(headers: HeaderSource | undefined): number {
  if (headers === undefined) return DEFAULT_THROTTLE_MS
  const ms =
    numberIn(header(headers, 'retry-after-ms')) ??
    secondsIn(header(headers, 'retry-after')) ??
    untilDate(headers) ??
    secondsIn(header(headers, 'x-ratelimit-reset-after'))
  return ms === undefined ? DEFAULT_THROTTLE_MS : Math.min(Math.ceil(ms), MAX_THROTTLE_MS)
}

/** Digits, with a fraction or without: no sign, unit, exponent or list. Undefined for anything else, and for 0. */
function numberIn(value: string): number | undefined {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(value)) return undefined
  const number = Number(value)
  return number > 0 ? number : undefined
}

function secondsIn(value: string): number | undefined {
  const seconds = numberIn(value)
  return seconds === undefined ? undefined : seconds * 1_000
}

/** By the response's own `Date`, if it has one: its clock may differ from that of this process. */
function untilDate(headers: HeaderSource): number | undefined {
  const until = httpDate(header(headers, 'retry-after'))
  if (until === undefined) return undefined
  const ms = until - (httpDate(header(headers, 'date')) ?? Date.now())
  return ms > 0 ? ms : undefined
}

/** The three forms of RFC 9110, 5.6.7. `Date.parse` alone takes much that is no date: `-1`, `1.5`. */
function httpDate(value: string): number | undefined {
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(value)) return undefined
  const ms = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}

/** The value of a header, trimmed; empty when there is none. */
function header(headers: HeaderSource, name: string): string {
  const value = valueOf(headers, name)
  // Node gives a list where a header may come more than once.
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' || typeof first === 'number' ? String(first).trim() : ''
}

function valueOf(headers: HeaderSource, name: string): unknown {
  const get: unknown = Reflect.get(headers, 'get')
  if (typeof get === 'function') return Reflect.apply(get, headers, [name])
  const key = Object.keys(headers).find((key) => key.toLowerCase() === name)
  return key === undefined ? undefined : Reflect.get(headers, key)
}
