import type { Inspection } from '../model/inspection.js'

/** The processes of the fleet, and when each last said that it lives. */
export class WorkerIndex {
  readonly #workers = new Map<string, { readonly atMs: number; readonly domain: string | undefined }>()

  /** `domain`: undefined: as it was. */
  touch(worker: string, atMs: number, domain: string | undefined): void {
    this.#workers.set(worker, { atMs, domain: domain ?? this.#workers.get(worker)?.domain })
  }

  /** See `busbar.workers()`. */
  list(nowMs: number): Inspection['workers'] {
    return [...this.#workers].map(([id, { atMs, domain = null }]) => ({
      id,
      lastSeenAgoMs: nowMs - atMs,
      domain,
    }))
  }
}
