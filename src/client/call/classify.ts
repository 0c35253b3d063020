import { isBusbarError } from '../../model/errors.js'
import { toText } from '../../model/text.js'
import { OUTCOMES, type Outcome } from '../../model/words.js'
import { isHealthyStatus, ruleOfGrpc, ruleOfStatus, ruleOfWord } from './classification-table.js'
import { DEFAULT_THROTTLE_MS, MAX_THROTTLE_MS, namesPause, pauseOf } from '../shared/retry-after.js'

/** How a call ended, and for `throttled` for how long. */
export interface Verdict {
  readonly outcome: Outcome
  /** ms; only with `throttled`. */
  readonly retryAfterMs?: number
  /** What was seen, in words; at most 200 characters. */
  readonly detail?: string
}

/** A verdict of Busbar's own; `because` says why a call that said nothing said nothing. */
export interface Judgement extends Verdict {
  readonly because?: 'aborted' | 'bug' | 'stalled'
}

/**
 * A user's own judgement of a call, local to the process. Called with the result, or with undefined and the
 * error; undefined leaves the judgement to Busbar. So does whatever is no verdict: a misspelt outcome, a promise. That is
 * counted in `callbacksFailed`, and the first is logged at `error`.
 */
export type Classify = (result: unknown, error: unknown) => Outcome | Verdict | undefined

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Also from text: some clients keep the status as they read it. */
function statusIn(value: unknown): number | undefined {
  if (typeof value === 'string') return /^[1-5]\d\d$/.test(value) ? Number(value) : undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined
  return value >= 100 && value <= 599 ? value : undefined
}

/**
 * Whether a returned value is a success that nothing more is to be read of: no HTTP response, or one with a status of success.
 * A response has headers, and `status` (fetch, axios) or `statusCode` (node:http, undici, got, superagent) from 100 to 599. Never
 * throws. On the way of every call: the headers of a response that went well are not looked at.
 */
export function isPlainSuccess(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return true
  try {
    const status = statusOf(result)
    return status === undefined || isHealthyStatus(status) || !isObject(Reflect.get(result, 'headers'))
  } catch {
    return true // no response has getters that throw
  }
}

function statusOf(result: object): number | undefined {
  const { status, statusCode }: { status?: unknown; statusCode?: unknown } = result
  return statusIn(status) ?? statusIn(statusCode)
}

function responseStatus(result: object): number | undefined {
  try {
    return isObject(Reflect.get(result, 'headers')) ? statusOf(result) : undefined
  } catch {
    return undefined
  }
}

/** A returned value: an HTTP response is judged by its status, anything else is healthy. */
export function classifyResult(result: unknown): Judgement {
  if (!isObject(result)) return HEALTHY
  const status = responseStatus(result)
  return status === undefined ? HEALTHY : classifyStatus(status, headersOf(result))
}

const HEALTHY: Judgement = { outcome: 'healthy' }

/**
 * A thrown value: the error, or the first of its causes, that the table knows decides. An engine's own error that has
 * nothing else is a bug of the program, and says nothing of the provider. Anything else is unhealthy.
 */
export function classifyError(error: unknown): Judgement {
  if (!isObject(error)) return { outcome: 'unhealthy', detail: typeof error }
  let session: unknown = error
  for (let depth = 0; depth < MAX_CAUSES && isObject(session); depth += 1) {
    const found = classifyLink(session)
    if (found !== undefined) return found
    session = session['cause']
  }
  if (isBug(error)) return { outcome: 'ignored', because: 'bug', detail: nameOf(error) }
  return { outcome: 'unhealthy', detail: nameOf(error) }
}

/** Causes may go round in a circle. */
const MAX_CAUSES = 8

function classifyLink(error: Fields): Judgement | undefined {
  if (isBusbarError(error)) {
    return { outcome: error.code === 'call_timeout' ? 'timeout' : 'ignored', detail: error.code }
  }
  return classifyWords(error) ?? classifyErrorStatus(error) ?? classifyGrpc(error)
}

function classifyWords(error: Fields): Judgement | undefined {
  for (const word of [error['code'], error['name'], classNameOf(error)]) {
    if (typeof word !== 'string') continue
    const rule = ruleOfWord(word)
    if (rule === undefined) continue
    const detail = toText(word, MAX_NAME_LENGTH)
    if (rule.outcome === 'throttled') return throttled(error, detail)
    if (rule.cancelled !== true) return { outcome: rule.outcome, detail }
    return isTimeLimit(reasonOf(error))
      ? { outcome: 'timeout', detail: 'TimeoutError' }
      : { outcome: rule.outcome, because: 'aborted', detail }
  }
  const retryable = error['$retryable']
  return isObject(retryable) && retryable['throttling'] === true ? throttled(error, nameOf(error)) : undefined
}

const throttled = (error: Fields, detail: string): Judgement => ({
  outcome: 'throttled',
  retryAfterMs: pauseOf(headersOf(error)),
  detail,
})

/** Clients that do not name their errors (OpenAI, Anthropic) have a class for each. */
function classNameOf(error: Fields): unknown {
  const made: unknown = error.constructor
  return typeof made === 'function' ? made.name : undefined
}

/** Why a call was cancelled, where the client keeps it: node:http and fetch as the cause, axios and got with their options. */
function reasonOf(error: Fields): unknown {
  for (const place of [error, error['config'], error['options']]) {
    if (!isObject(place)) continue
    if (place['cause'] !== undefined) return place['cause']
    const { signal } = place
    if (isObject(signal) && signal['reason'] !== undefined) return signal['reason']
  }
  return undefined
}

/** Whether the reason of an abort is a time limit, as that of `AbortSignal.timeout()` is. */
export const isTimeLimit = (reason: unknown): boolean =>
  isObject(reason) && (reason['name'] === 'TimeoutError' || reason['name'] === 'CallTimeoutError')

function classifyErrorStatus(error: Fields): Judgement | undefined {
  const { response, $metadata: aws, output } = error
  const places = [
    ...[error['status'], error['statusCode']],
    ...[response, output].filter(isObject).flatMap((place) => [place['status'], place['statusCode']]),
    ...(isObject(aws) ? [aws['httpStatusCode']] : []),
    ...(isErrorStatus(error['code']) ? [error['code']] : []),
  ]
  const status = places.map(statusIn).find((found) => found !== undefined)
  if (status === undefined) return undefined
  const judged = classifyStatus(status, headersOf(error))
  // It threw: whatever the status says, it was no success.
  return judged.outcome === 'healthy' ? { outcome: 'unhealthy', detail: nameOf(error) } : judged
}

/** Google's clients put the status into `code`. */
const isErrorStatus = (code: unknown): boolean => (statusIn(code) ?? 0) >= 400

function classifyGrpc(error: Fields): Judgement | undefined {
  const { code } = error
  // A DOMException has numbers of its own, an error of child_process the exit code.
  if (typeof code !== 'number' || error instanceof DOMException) return undefined
  if (['cmd', 'killed', 'exitCode', 'syscall'].some((field) => field in error)) return undefined
  const certain = 'metadata' in error || 'details' in error
  if (!certain && error['name'] !== 'Error') return undefined
  const rule = ruleOfGrpc(code, certain)
  if (rule === undefined) return undefined
  const detail = `gRPC ${code}`
  if (rule.outcome === 'throttled') return throttled(error, detail)
  return { outcome: rule.outcome, detail, ...(rule.outcome === 'ignored' ? { because: 'aborted' } : {}) }
}

/** A bug of the program, in this realm or another. A `fetch` that is not Node's may throw a bare TypeError of the network. */
function isBug(error: Fields): boolean {
  const { name, message } = error
  if (name !== 'TypeError' && name !== 'ReferenceError' && name !== 'RangeError') return false
  if (error['code'] !== undefined || error['cause'] !== undefined) return false
  return !(typeof message === 'string' && NETWORK_TROUBLE.test(message))
}

const NETWORK_TROUBLE =
  /^(failed to fetch|fetch failed|network request failed|networkerror|load failed|terminated)/i

/** An error's code, or its name. Never its message: that may hold what must not be stored. */
function nameOf(error: Fields): string {
  const cause = isObject(error['cause']) ? error['cause'] : {}
  const name = [error['code'], cause['code'], error['name']].find(
    (given) => typeof given === 'string' && given !== '',
  )
  return typeof name === 'string' ? toText(name, MAX_NAME_LENGTH) : ''
}

const MAX_NAME_LENGTH = 60

function classifyStatus(status: number, headers: object | undefined): Judgement {
  const outcome = ruleOfStatus(status, () => namesPause(headers))?.outcome ?? 'unhealthy'
  const detail = `HTTP ${status}`
  return outcome === 'throttled' ? { outcome, retryAfterMs: pauseOf(headers), detail } : { outcome, detail }
}

/** Where a result or an error keeps the headers of the response: `$response` is AWS's, `responseHeaders` Vercel's. */
function headersOf(holder: Fields): object | undefined {
  const { response, $response: aws, headers, responseHeaders, metadata } = holder
  const places = [isObject(response) ? response['headers'] : undefined, headers, responseHeaders]
  return [...places, isObject(aws) ? aws['headers'] : undefined, metadata].find(isObject)
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
