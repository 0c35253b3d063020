import { toText } from '../model/text.js'
import { OUTCOMES, type Outcome } from '../model/words.js'

/** How a call ended, and for `throttled` for how long. */
export interface Verdict {
  readonly outcome: Outcome
  /** ms; only with `throttled`. */
  readonly retryAfterMs?: number
  /** What was seen, in words; at most 200 characters. */
  readonly detail?: string
}

/**
 * A user's own judgement of a call, local to the process. Called with the result, or with undefined and the
 * error; undefined leaves the judgement to Busbar. So does whatever is no verdict: a misspelt outcome, a promise. That is
 * counted in `callbacksFailed`, and the first is logged at `error`.
 */
export type Classify = (result: unknown, error: unknown) => Outcome | Verdict | undefined

/** The pause after a 429 that names none, ms. */
export const DEFAULT_THROTTLE_MS = 1_000
/** The longest pause that a provider can ask for, ms: a day. */
export const MAX_THROTTLE_MS = 86_400_000

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isStatus = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599

/** Whether a returned value is an HTTP response: a status from 100 to 599, and headers that can be got. Never throws. */
export function isResponse(result: unknown): result is { status: number; headers: object } {
  if (!isObject(result)) return false
  try {
    if (!isStatus(result['status'])) return false
    const { headers } = result
    return isObject(headers) && typeof headers['get'] === 'function'
  } catch {
    return false // no response has getters that throw
  }
}

/** A returned value: an HTTP response is judged by its status, anything else is healthy. */
export function classifyResult(result: unknown): Verdict {
  return isResponse(result) ? classifyStatus(result.status, result.headers) : { outcome: 'healthy' }
}

/** A thrown value: one that bears an HTTP status is judged by it, anything else is unhealthy. */
export function classifyError(error: unknown): Verdict {
  if (!isObject(error)) return { outcome: 'unhealthy', detail: typeof error }
  const response = isObject(error['response']) ? error['response'] : undefined
  const status = [error['status'], error['statusCode'], response?.['status']].find(isStatus)
  if (status === undefined) return { outcome: 'unhealthy', detail: nameOf(error) }
  const verdict = classifyStatus(status, response?.['headers'] ?? error['headers'])
  // It threw: whatever the status says, it was no success.
  return verdict.outcome === 'healthy' ? { outcome: 'unhealthy', detail: nameOf(error) } : verdict
}

/** An error's code, or its name. Never its message: that may hold what must not be stored. */
function nameOf(error: Record<string, unknown>): string {
  const cause = isObject(error['cause']) ? error['cause'] : {}
  const name = [error['code'], cause['code'], error['name']].find(
    (given) => typeof given === 'string' && given !== '',
  )
  return typeof name === 'string' ? toText(name, MAX_NAME_LENGTH) : ''
}

const MAX_NAME_LENGTH = 60

/** From a proxy, of a connection that was slow, of a request that came too early: the provider itself said nothing. */
const NOT_THE_CALLERS: ReadonlySet<number> = new Set([407, 408, 425])

function classifyStatus(status: number, headers: unknown): Verdict {
  const detail = `HTTP ${status}`
  if (status === 429) return { outcome: 'throttled', retryAfterMs: retryAfter(headers), detail }
  if (status >= 500) return { outcome: 'unhealthy', detail }
  if (status < 400) return { outcome: 'healthy' }
  return { outcome: NOT_THE_CALLERS.has(status) ? 'ignored' : 'client_error', detail }
}

function header(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined
  const { get } = headers
  const value: unknown = typeof get === 'function' ? Reflect.apply(get, headers, [name]) : headers[name]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

/** `Retry-After` in ms: seconds, or a date, which is compared with the response's own `Date` if it has one. */
function retryAfter(headers: unknown): number {
  const value = header(headers, 'retry-after')?.trim()
  if (value === undefined || value === '') return DEFAULT_THROTTLE_MS
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, MAX_THROTTLE_MS)
  const until = Date.parse(value)
  if (Number.isNaN(until)) return DEFAULT_THROTTLE_MS
  const sent = Date.parse(header(headers, 'date') ?? '')
  return Math.min(Math.max(0, until - (Number.isNaN(sent) ? Date.now() : sent)), MAX_THROTTLE_MS)
}

/** What a user's classifier said, as a verdict; undefined when it said nothing of use. */
export function readVerdict(said: unknown): Verdict | undefined {
  const given: unknown = typeof said === 'string' ? { outcome: said } : said
  if (!isObject(given)) return undefined
  const outcome = OUTCOMES.find((known) => known === given['outcome'])
  if (outcome === undefined) return undefined
  const detail = typeof given['detail'] === 'string' ? toText(given['detail'], MAX_SAID_LENGTH) : ''
  if (outcome !== 'throttled') return { outcome, detail }
  const ms = given['retryAfterMs']
  const sane =
    typeof ms === 'number' && ms >= 0 ? Math.min(Math.ceil(ms), MAX_THROTTLE_MS) : DEFAULT_THROTTLE_MS
  return { outcome, retryAfterMs: sane, detail }
}

const MAX_SAID_LENGTH = 200
