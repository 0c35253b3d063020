/**
 * Handlers of undici, of both styles: `onRequestStart` and so on since version 7, `onConnect` and so on before, which Node's
 * own `fetch` brings too. Known by structure, because undici is not loaded here.
 */
export type Handler = Readonly<Record<string, unknown>>

/** What becomes known of a request: that it begins, and how it can be ended, then its answer's head, or an error. */
export interface Answered {
  readonly begun: (abort: (reason: unknown) => void) => void
  readonly head: (statusCode: number, headers: object) => void
  readonly error: (error: unknown) => void
  /** Whether the client was given an error before its request began: it hears nothing more. */
  readonly gone: () => boolean
}

type Method = (...args: unknown[]) => unknown

/** Style of version 7 and later. */
const NEW = [
  'onRequestStart',
  'onRequestUpgrade',
  'onResponseStart',
  'onResponseData',
  'onResponseEnd',
  'onResponseError',
] as const
/** Style before, which version 7 takes as well. */
const OLD = [
  'onConnect',
  'onUpgrade',
  'onHeaders',
  'onResponseStarted',
  'onData',
  'onComplete',
  'onError',
] as const
/** Of both. */
const EXTRA = ['onBodySent', 'onRequestSent'] as const

const isNew = (handler: Handler): boolean => typeof handler['onRequestStart'] === 'function'

/** The same handler; `answered` hears of the answer before the handler does. Nothing is changed, and held back only from a client that is gone. */
export function watchHandler(handler: Handler, answered: Answered): Handler {
  const watched: Record<string, Method> = {}
  for (const name of [...(isNew(handler) ? NEW : OLD), ...EXTRA]) {
    const method = handler[name]
    if (typeof method === 'function')
      // True: the data that nobody wants may go on coming until the request has ended.
      watched[name] = (...args) =>
        answered.gone() ? true : (Reflect.apply(method, handler, args) as unknown)
  }
  return isNew(handler) ? watchNew(watched, answered) : watchOld(watched, answered)
}

/** Gives an error to a handler whose request never began. */
export function failHandler(handler: Handler, error: unknown): void {
  const name = isNew(handler) ? 'onResponseError' : 'onError'
  const method = handler[name]
  if (typeof method !== 'function') throw error
  Reflect.apply(method, handler, isNew(handler) ? [null, error] : [error])
}

function watchNew(watched: Record<string, Method>, answered: Answered): Handler {
  before(watched, 'onRequestStart', ([controller]) => {
    if (isObject(controller)) answered.begun((reason) => call(controller, 'abort', reason))
  })
  before(watched, 'onRequestUpgrade', ([, status, headers]) => tellHead(answered, status, headers))
  before(watched, 'onResponseStart', ([, status, headers]) => tellHead(answered, status, headers))
  before(watched, 'onResponseError', ([controller, error]) => {
    const { aborted, reason } = isObject(controller) ? controller : {}
    answered.error(aborted === true ? abortedFor(reason) : error)
  })
  return watched
}

function watchOld(watched: Record<string, Method>, answered: Answered): Handler {
  let abortion: { readonly reason: unknown } | undefined
  const { onConnect } = watched
  watched['onConnect'] = (abort, ...rest) => {
    const noticed = (reason: unknown) => {
      abortion = { reason }
      return Reflect.apply(abort as Method, undefined, [reason])
    }
    const connected = onConnect?.(noticed, ...rest)
    answered.begun((reason) => Reflect.apply(abort as Method, undefined, [reason]))
    return connected
  }
  before(watched, 'onUpgrade', ([status, raw]) => tellHead(answered, status, raw))
  before(watched, 'onHeaders', ([status, raw]) => tellHead(answered, status, raw))
  before(watched, 'onError', ([error]) =>
    answered.error(abortion === undefined ? error : abortedFor(abortion.reason)),
  )
  return watched
}

/** `look` sees the arguments first. */
function before(watched: Record<string, Method>, name: string, look: (args: unknown[]) => void): void {
  const method = watched[name]
  watched[name] = (...args) => {
    look(args)
    return method?.(...args)
  }
}

/** Heads from 100 to 199 but that of an upgrade come before the answer. */
function tellHead(answered: Answered, status: unknown, headers: unknown): void {
  if (typeof status !== 'number' || (status < 200 && status !== 101)) return
  answered.head(status, Array.isArray(headers) ? parsedHeaders(headers) : isObject(headers) ? headers : {})
}

/** Raw headers of the old style: name, value, name, value. */
function parsedHeaders(raw: readonly unknown[]): object {
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < raw.length; i += 2) headers[String(raw[i]).toLowerCase()] = String(raw[i + 1])
  return headers
}

/** The caller gave up: whatever error undici made of it, it says nothing of the provider. */
function abortedFor(reason: unknown): Error {
  const error = new Error('the request was aborted', { cause: reason })
  error.name = 'AbortError'
  return error
}

const call = (target: Record<string, unknown>, name: string, argument: unknown): unknown =>
  Reflect.apply(target[name] as Method, target, [argument])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
