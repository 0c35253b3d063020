import type { HistoryEntry } from '../../model/snapshot.js'
import { history } from './api.js'

interface Held {
  readonly entries: readonly HistoryEntry[]
  /** `applied` of the provider when it was read: the same number, the same history. */
  readonly applied: number
  readonly readAt: number
}

/**
 * Histories for the small charts of the list: of the rows on the screen alone, four at a time, each at most every 15 s and only
 * when outcomes were added. So a page of 30 rows costs Redis 2 reads a second at most, and an idle fleet none.
 */
export class Histories {
  readonly #held = new Map<string, Held>()
  readonly #wanted = new Map<string, { readonly applied: number; readonly tell: () => void }>()
  #running = 0

  get(id: string): readonly HistoryEntry[] | undefined {
    return this.#held.get(id)?.entries
  }

  /** Whether it is worth a read, at `now`. */
  isDue(id: string, applied: number, now: number): boolean {
    const held = this.#held.get(id)
    return held === undefined || (held.applied !== applied && now - held.readAt >= EVERY_MS)
  }

  /** Reads it soon, and tells. @returns takes the wish back, as long as it was not begun */
  want(id: string, applied: number, tell: () => void): () => void {
    this.#wanted.set(id, { applied, tell })
    this.#next()
    return () => this.#wanted.delete(id)
  }

  #next(): void {
    // Rows without a chart come before those whose chart is old.
    const wanted = [...this.#wanted]
    const first = wanted.find(([id]) => !this.#held.has(id)) ?? wanted[0]
    if (first === undefined || this.#running >= AT_ONCE) return
    const [id, { applied, tell }] = first
    this.#wanted.delete(id)
    this.#running += 1
    history(id, RUNS)
      .then((entries) => this.#held.set(id, { entries, applied, readAt: Date.now() }))
      // The row has no chart then; the banner says what is wrong.
      .catch(() => this.#held.set(id, { entries: this.get(id) ?? [], applied: -1, readAt: Date.now() }))
      .finally(() => {
        this.#running -= 1
        tell()
        this.#next()
      })
  }
}

const EVERY_MS = 15_000
const AT_ONCE = 4
/** Runs that are asked for: of a provider whose outcomes change all the time they may cover a part of its window alone. */
export const RUNS = 300
