/**
 * `busbar/fetch`: a `fetch` that asks the circuit of its provider first, and whose answers are judged. Loads no client: it
 * guards the one that it is given.
 */
import { ArgumentError, type CallContext, type Provider } from '../index.js'
import { ProviderChoice, type GuardOptions } from './provider-choice.js'

export type { Choice, RequestFacts } from './provider-choice.js'

export interface GuardFetchOptions extends GuardOptions {
  /** How long an answer's headers may take, ms; the body is not timed. 1 ms to 1 day, default that of the handle, else never. */
  readonly timeoutMs?: number | undefined
}

/** The part of any `fetch` that is needed: Node's, undici's, that of a framework. */
// The types of each fetch are its own; what is given goes through untouched.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type AnyFetch = (input: any, init?: any) => Promise<unknown>

/**
 * The same `fetch`, guarded. A call that the circuit refuses rejects with `CallRefusedError`. Answers and errors are judged by
 * docs/classification.md: 5xx and network errors are failures, a 429 is a pause, a 404 is no failure. The response is handed
 * through untouched, and its body is never read. With redirects the first URL says which provider it is.
 * @throws ArgumentError, SettingsError
 */
export function guardFetch<F extends AnyFetch>(fetch: F, options: GuardFetchOptions): F {
  if (typeof fetch !== 'function') throw new ArgumentError('fetch', 'fetch: expected a function')
  const choice = new ProviderChoice(options, 'timeoutMs')
  const { timeoutMs } = options
  const chosen: AnyFetch = async (input: unknown, init?: RequestInit) => {
    const url = urlOf(input)
    // The client says best what is wrong with it.
    const provider = url && (await choice.of(url, { method: methodOf(input, init) }))
    if (provider === undefined) return fetch(input, init)
    return call({ fetch, provider, timeoutMs }, input, init)
  }
  const guarded: AnyFetch = (input: unknown, init?: RequestInit) => {
    try {
      // Nearly every request goes to a server that is known: nothing is waited for before it goes.
      const provider = choice.known(hrefOf(input))
      if (provider !== undefined) return call({ fetch, provider, timeoutMs }, input, init)
    } catch {
      // A getter of what was given threw. The long way meets it again, and rejects with it.
    }
    return chosen(input, init)
  }
  // It takes and gives what the one that it guards takes and gives.
  return guarded as F
}

interface Guarded {
  readonly fetch: AnyFetch
  readonly provider: Provider
  readonly timeoutMs: number | undefined
}

/** The caller's own signal goes to the client as it is; only a time limit, also one of the handle, needs another. */
function call({ fetch, provider, timeoutMs }: Guarded, input: unknown, init: RequestInit | undefined) {
  const signal = signalOf(input, init)
  const limited = (context: CallContext) =>
    fetch(input, context.timeoutMs === undefined ? init : withSignal(init, context.signal))
  if (timeoutMs === undefined && signal === undefined) return provider.execute(limited)
  return provider.execute(limited, { timeoutMs, signal })
}

function withSignal(init: RequestInit | undefined, signal: AbortSignal): RequestInit {
  // The client says best what is wrong with what is no signal.
  if (init?.signal && !isSignal(init.signal)) return init
  const prototype: unknown = Object.getPrototypeOf(init ?? {})
  if (init === undefined || prototype === Object.prototype || prototype === null) return { ...init, signal }
  // What a Request is, or an object of a class, stands in getters of its prototype.
  return new Proxy(init, {
    get: (target, key) => (key === 'signal' ? signal : (Reflect.get(target, key, target) as unknown)),
    has: (target, key) => key === 'signal' || key in target,
  })
}

function urlOf(input: unknown): URL | undefined {
  try {
    return new URL(hrefOf(input))
  } catch {
    return undefined
  }
}

/** Of a URL as of a text, of a Request its URL. */
const hrefOf = (input: unknown): string =>
  typeof input === 'string'
    ? input
    : String(typeof input === 'object' && input !== null && 'url' in input ? input.url : input)

/** `init` outranks the request; null takes the signal of the request away. */
function signalOf(input: unknown, init: RequestInit | undefined): AbortSignal | undefined {
  const given: unknown =
    init?.signal === undefined && typeof input === 'object' && input !== null && 'signal' in input
      ? input.signal
      : init?.signal
  return isSignal(given) ? given : undefined
}

/** By structure: that of another realm, or of a polyfill, is as good. */
const isSignal = (given: unknown): given is AbortSignal =>
  typeof given === 'object' && given !== null && 'throwIfAborted' in given && 'addEventListener' in given

function methodOf(input: unknown, init: RequestInit | undefined): string {
  const ofRequest =
    typeof input === 'object' && input !== null && 'method' in input ? input.method : undefined
  const method: unknown = init?.method ?? ofRequest
  return typeof method === 'string' ? method.toUpperCase() : 'GET'
}
