/** The label of all providers beyond the limit. */
export const OTHER = '_other'

/** Which providers have series of their own: the first that came, until they go. All others are `_other`. */
export class LabelLimit {
  readonly #most: number
  readonly #own = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  /** The providers there are now. Those that went make room for others. */
  update(ids: ReadonlySet<string>): void {
    for (const id of this.#own) if (!ids.has(id)) this.#own.delete(id)
    for (const id of ids) {
      if (this.#own.size >= this.#most) return
      this.#own.add(id)
    }
  }

  labelOf(id: string): string {
    return this.#own.has(id) ? id : OTHER
  }
}
