import type { MetricsRegistry } from '../config/http.js'
import { BusbarClosedError, type Busbar } from '../index.js'
import type { RegisterOptions } from '../metrics/prometheus.js'
import { sharedBody } from './text-body.js'
import { Refused } from './problem.js'

/** The source of `GET metrics`: none, the text of a registry of the program's own, or the metrics of Busbar. */
export type MetricsOption = false | MetricsRegistry | ScrapeOptions
type ScrapeOptions = Pick<RegisterOptions, 'fleet' | 'maxProviders' | 'maxHistogramProviders'>

interface Page {
  readonly type: string
  readonly content: Uint8Array
}

/**
 * The text for Prometheus. `busbar/prometheus`, and prom-client with it, is loaded when somebody first asks, and this process
 * counts from then on. One text is made at a time, for all who ask meanwhile; after one that took long the next waits ten
 * times as long, but a second at most: the text says whether Redis is there.
 */
export class MetricsText {
  readonly #busbar: Busbar
  readonly #option: MetricsOption
  #registry: Promise<MetricsRegistry> | undefined
  #unregister: (() => void) | undefined
  #page: Page | undefined
  #making: Promise<Page> | undefined
  #restUntil = 0
  #closed = false

  constructor(busbar: Busbar, option: MetricsOption) {
    this.#busbar = busbar
    this.#option = option
  }

  /** @throws Refused where there are none; BusbarClosedError; what a registry of the program's own throws */
  async answer(): Promise<Response> {
    if (this.#option === false) throw new Refused('not_found', 'this handler has no metrics')
    if (this.#closed) throw new BusbarClosedError()
    const { type, content } = await this.#read()
    return sharedBody(content, type)
  }

  close(): void {
    this.#closed = true
    this.#page = undefined
    this.#unregister?.()
    this.#unregister = undefined
  }

  async #read(): Promise<Page> {
    if (this.#page !== undefined && performance.now() < this.#restUntil) return this.#page
    this.#making ??= this.#make().finally(() => (this.#making = undefined))
    return this.#making
  }

  async #make(): Promise<Page> {
    this.#registry ??= this.#open()
    const registry = await this.#registry.catch((error: unknown) => {
      this.#registry = undefined
      throw error
    })
    const began = performance.now()
    const content = new TextEncoder().encode(await registry.metrics())
    const now = performance.now()
    this.#restUntil = now + Math.min((now - began) * REST_FACTOR, MAX_REST_MS)
    this.#page = { type: registry.contentType, content }
    return this.#page
  }

  async #open(): Promise<MetricsRegistry> {
    const option = this.#option
    if (option !== false && 'metrics' in option) return option
    const { register } = await import('../metrics/prometheus.js')
    if (this.#closed) throw new BusbarClosedError()
    const { registry, unregister } = register(this.#busbar, option === false ? {} : option)
    this.#unregister = unregister
    return registry
  }
}

const REST_FACTOR = 10
const MAX_REST_MS = 1_000
