/** `busbar/undici`: an interceptor for `dispatcher.compose()`. Loads nothing of undici: the dispatcher brings it. */
import { ArgumentError } from '../index.js'
import { failHandler, watchHandler, type Handler } from './dispatch-handler.js'
import { ProviderChoice, type GuardOptions } from './provider-choice.js'

export type { Choice, RequestFacts } from './provider-choice.js'

export interface GuardInterceptorOptions extends GuardOptions {
  /** The origin of requests that name none: those of a `Client` or a `Pool` that were not given a whole URL. */
  readonly origin?: string | undefined
}

/** The dispatch of a dispatcher; its types are undici's own, of whichever version. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Dispatch = (options: any, handler: any) => boolean

/**
 * An interceptor that asks the circuit of a request's provider first, and judges the head of the answer or the error, as
 * `guardFetch` does. A refused request fails with `CallRefusedError`. Each dispatch is one call, so a redirect or a retry of an
 * interceptor that is composed after this one is a call of its own, at its own origin.
 * @throws ArgumentError, SettingsError
 */
export function guardInterceptor(options: GuardInterceptorOptions): (dispatch: Dispatch) => Dispatch {
  const choice = new ProviderChoice(options, 'origin')
  const { origin } = options
  if (origin !== undefined && parsed(origin) === undefined) {
    throw new ArgumentError('origin', 'origin: expected a URL such as https://api.example.com')
  }
  return (dispatch) => (opts: unknown, handler: Handler) => {
    // Deciding may take a round trip. True: as far as this interceptor goes, more requests may come.
    void guarded(choice, { dispatch, opts, handler, origin })
    return true
  }
}

export default guardInterceptor

interface Dispatched {
  readonly dispatch: Dispatch
  readonly opts: unknown
  readonly handler: Handler
  readonly origin: string | undefined
}

/** Each error goes to the handler, once. Rejects only where the handler itself throws. */
async function guarded(choice: ProviderChoice, dispatched: Dispatched): Promise<void> {
  const { dispatch, opts, handler } = dispatched
  const client = new Client(handler)
  try {
    const provider = await choice.of(urlOf(dispatched), { method: methodOf(opts) })
    if (provider === undefined) {
      dispatch(opts, handler)
      return
    }
    await provider.execute((context) => {
      // The handle's own: without it the request would go on behind a client that has its error.
      if (context.timeoutMs !== undefined) client.endWith(context.signal)
      return client.answered((watched) => dispatch(opts, watched))
    })
  } catch (error) {
    client.fail(error)
  }
}

/** The one that waits for a dispatch: it gets one answer or error, from its dispatcher or from here. */
class Client {
  readonly #handler: Handler
  /** Whether it has it from its own dispatcher. */
  #told = false
  /** The error that it was given from here. */
  #failed: { readonly error: unknown } | undefined
  #abort: ((reason: unknown) => void) | undefined

  constructor(handler: Handler) {
    this.#handler = handler
  }

  /** Resolves with the head of the answer. */
  answered(dispatch: (watched: Handler) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const watched = watchHandler(this.#handler, {
        begun: (abort) => {
          this.#abort = abort
          if (this.#failed !== undefined) abort(this.#failed.error)
        },
        gone: () => this.#failed !== undefined,
        head: (statusCode, headers) => {
          this.#told = true
          resolve({ statusCode, headers })
        },
        error: (error) => {
          this.#told = true
          // Whatever undici gave is what is judged.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          reject(error)
        },
      })
      dispatch(watched)
    })
  }

  /** A request that has begun is ended by its dispatcher, which gives the client the reason. */
  endWith(signal: AbortSignal): void {
    signal.addEventListener('abort', () => {
      if (this.#told || this.#abort === undefined) return
      this.#told = true
      this.#abort(signal.reason)
    })
  }

  /** One that waits for a connection ends when it begins: its client does not wait for that. */
  fail(error: unknown): void {
    if (this.#told) return
    this.#told = true
    this.#failed = { error }
    failHandler(this.#handler, error)
  }
}

/** @throws ArgumentError where the request does not name its origin */
function urlOf({ opts, origin }: Dispatched): URL {
  const given: { origin?: unknown; path?: unknown } = typeof opts === 'object' && opts !== null ? opts : {}
  const named = given.origin ?? origin
  const base = named instanceof URL || typeof named === 'string' ? parsed(named) : undefined
  if (base === undefined) {
    const message =
      'origin: the request names none, as those of a Client or a Pool may; give guardInterceptor an origin'
    throw new ArgumentError('origin', message)
  }
  const url = typeof given.path === 'string' ? parsed(given.path, base) : undefined
  // The path of a request to a proxy may be a whole URL: the provider is the server that is spoken to.
  return url?.origin === base.origin ? url : base
}

function parsed(url: string | URL, base?: URL): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

const methodOf = (opts: unknown): string =>
  typeof opts === 'object' && opts !== null && 'method' in opts ? String(opts.method).toUpperCase() : 'GET'
