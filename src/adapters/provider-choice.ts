import { ArgumentError, type Busbar, type Family, type Provider, type SettingsInput } from '../index.js'
import { hasServer, Origins } from './origins.js'

/** What of a request its provider can be chosen by, beside its URL. */
export interface RequestFacts {
  /** In capitals. */
  readonly method: string
}

/** The id of a provider, its handle, or nothing: then the request is not guarded. */
export type Choice = string | Provider | null | undefined

export interface GuardOptions {
  readonly busbar: Busbar
  /**
   * The provider of a request. Default: one per origin, whose id is the origin itself, `https://api.example.com`; see
   * `busbar.family` for how ids are written, how many handles are kept, and when an idle one leaves Redis.
   */
  readonly providerOf?: ((url: URL, request: RequestFacts) => Choice | Promise<Choice>) | undefined
  /** Settings of the providers that are registered for it. Default: those in Redis, else the defaults. */
  readonly settings?: SettingsInput | undefined
}

const OPTIONS = ['busbar', 'providerOf', 'settings']

/** Which provider a request belongs to; the same for every client, so that they share one. */
export class ProviderChoice {
  readonly #busbar: Busbar
  readonly #providerOf: GuardOptions['providerOf']
  readonly #settings: SettingsInput | undefined
  readonly #registering = new Map<string, Promise<Provider>>()
  /** Only where each origin is a provider. */
  readonly #origins: { readonly family: Family; readonly names: Origins } | undefined

  /** `own`: names of the options that one adapter takes beside these. @throws ArgumentError, SettingsError */
  constructor(options: GuardOptions, ...own: readonly string[]) {
    checkOptions(options, [...OPTIONS, ...own])
    this.#busbar = options.busbar
    this.#providerOf = options.providerOf
    this.#settings = options.settings
    // Bad settings are an error here, and not of each request.
    if (this.#providerOf === undefined) this.#origins = { family: this.#family(), names: new Origins() }
  }

  /** What `of` would answer, without a wait and without reading the whole URL; undefined where only `of` can say. */
  known(url: string): Provider | undefined {
    if (this.#origins === undefined) return undefined
    const { family, names } = this.#origins
    const origin = names.of(url)
    return origin === undefined ? undefined : family.known(origin)
  }

  /** Undefined where the request is not to be guarded. @throws whatever `providerOf` or the registration throws */
  async of(url: URL, request: RequestFacts): Promise<Provider | undefined> {
    if (this.#providerOf === undefined) return hasServer(url) ? this.#byOrigin(url) : undefined
    const chosen: unknown = await this.#providerOf(url, request)
    if (chosen === undefined || chosen === null) return undefined
    if (typeof chosen === 'string') return this.#busbar.get(chosen) ?? this.#register(chosen)
    if (isProvider(chosen)) return chosen
    throw new ArgumentError(
      'providerOf',
      `providerOf answered ${typeof chosen}: expected an id or a provider`,
    )
  }

  #byOrigin(url: URL): Promise<Provider> {
    return this.#family().get(url.origin)
  }

  /** Each time: another guard may have other settings. An empty name: the id is the key. */
  #family(): Family {
    return this.#busbar.family('', this.#settings)
  }

  /** Once, however many requests ask for it meanwhile. */
  #register(id: string): Promise<Provider> {
    const under = this.#registering.get(id)
    if (under !== undefined) return under
    const registered = this.#busbar.provider(id, this.#settings).finally(() => this.#registering.delete(id))
    this.#registering.set(id, registered)
    return registered
  }
}

/** By structure: another copy of this package has another class. */
const isProvider = (value: unknown): value is Provider =>
  typeof value === 'object' && value !== null && 'execute' in value && typeof value.execute === 'function'

function checkOptions(options: unknown, known: readonly string[]): void {
  const fail = (path: string, expected: string) => new ArgumentError(path, `${path}: expected ${expected}`)
  if (typeof options !== 'object' || options === null) throw fail('options', 'an object with busbar')
  const { busbar, providerOf }: { busbar?: unknown; providerOf?: unknown } = options
  if (typeof busbar !== 'object' || busbar === null || !('family' in busbar)) {
    throw fail('busbar', 'what connect() gives')
  }
  if (providerOf !== undefined && typeof providerOf !== 'function') throw fail('providerOf', 'a function')
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) throw fail(unknown, `one of ${known.join(', ')}`)
}
