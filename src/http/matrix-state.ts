import { isBusbarError, type Busbar, type CallsByWorker } from '../index.js'
import type { Unreadable } from '../view/provider-view.js'
import { unreadableOf } from '../view/provider-view.js'

/** The result of reading the providers that a viewer may see. */
export interface MatrixReading {
  readonly byWorker: ReadonlyMap<string, CallsByWorker>
  readonly unreadable: readonly Unreadable[]
  /** Providers that were not read, because there are so many. */
  readonly omitted: number
  /** When the oldest of it was read, ms since 1970 on this machine's clock. */
  readonly readAt: number
  /** Asking sooner brings nothing new, ms. */
  readonly nextInMs: number
}

interface Held {
  readonly at: number
  readonly readAt: number
  readonly found: CallsByWorker | Unreadable | undefined
}

/**
 * The calls by worker of the providers that are looked at through one handler, for all of its viewers together.
 *
 * Reading is what takes the lease for which batches count, so nothing is read that no viewer may see, and nothing while nobody
 * asks. A provider is read at most once in 2 s; after a slow round the next waits ten times as long, at most 10 s: a third
 * of the lease. One round at a time, 50 providers at once.
 */
export class MatrixState {
  readonly #busbar: Busbar
  readonly #held = new Map<string, Held>()
  #round: Promise<void> | undefined
  #restMs = LEAST_REST_MS

  constructor(busbar: Busbar) {
    this.#busbar = busbar
  }

  /** `ids`: the most important first. @throws RedisUnavailableError while Redis is away */
  async read(ids: readonly string[]): Promise<MatrixReading> {
    // A round of another viewer may bring what this one wants.
    while (this.#round !== undefined) await this.#round
    const wanted = this.#affordable(ids)
    const now = performance.now()
    const old = wanted.filter((id) => now - (this.#held.get(id)?.at ?? -Infinity) >= this.#restMs)
    if (old.length > 0) {
      this.#round = this.#read(old).finally(() => (this.#round = undefined))
      await this.#round
    }
    return this.#reading(this.#affordable(ids), ids.length)
  }

  /** As many as there is room for: of each as many cells as it last had. */
  #affordable(ids: readonly string[]): readonly string[] {
    let cells = 0
    const wanted = ids.slice(0, MAX_PROVIDERS)
    const end = wanted.findIndex((id) => {
      const found = this.#held.get(id)?.found
      cells += found !== undefined && 'workers' in found ? found.workers.length : 0
      return cells > MAX_CELLS
    })
    return end < 0 ? wanted : wanted.slice(0, Math.max(1, end))
  }

  async #read(ids: readonly string[]): Promise<void> {
    const began = performance.now()
    for (let from = 0; from < ids.length; from += AT_ONCE)
      await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => this.#readOne(id)))
    const now = performance.now()
    this.#restMs = Math.min(MOST_REST_MS, Math.max(LEAST_REST_MS, (now - began) * REST_FACTOR))
    for (const [id, { at }] of this.#held) if (now - at > KEPT_MS) this.#held.delete(id)
  }

  async #readOne(id: string): Promise<void> {
    const found = await this.#busbar.callsByWorker(id).catch((error: unknown) => {
      if (isBusbarError(error, 'provider_removed') || isBusbarError(error, 'provider_unknown'))
        return undefined
      return unreadableOf(id, error)
    })
    this.#held.set(id, { at: performance.now(), readAt: Date.now(), found })
  }

  #reading(ids: readonly string[], asked: number): MatrixReading {
    const held = ids.flatMap((id) => this.#held.get(id) ?? [])
    const found = ids.flatMap((id) => this.#foundOf(id))
    const oldest = Math.min(performance.now(), ...held.map(({ at }) => at))
    return {
      byWorker: new Map(found.flatMap(([id, one]) => ('workers' in one ? [[id, one]] : []))),
      unreadable: found.flatMap(([, one]) => ('why' in one ? one : [])),
      omitted: asked - ids.length,
      readAt: Math.min(Date.now(), ...held.map(({ readAt }) => readAt)),
      nextInMs: Math.ceil(Math.max(0, oldest + this.#restMs - performance.now())),
    }
  }

  #foundOf(id: string): [string, CallsByWorker | Unreadable][] {
    const found = this.#held.get(id)?.found
    return found === undefined ? [] : [[id, found]]
  }
}

export const MAX_PROVIDERS = 1_000
/** Workers of all providers together: each costs memory, and time of this process. */
const MAX_CELLS = 50_000
const AT_ONCE = 50
const LEAST_REST_MS = 2_000
const MOST_REST_MS = 10_000
const REST_FACTOR = 10
const KEPT_MS = 60_000
