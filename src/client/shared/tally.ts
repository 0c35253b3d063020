/** Counts by a few words that a program chose, such as a group and two providers. Bounded: the rest is `_other`. */
export class Tally {
  readonly #counts = new Map<string, { readonly words: readonly string[]; count: number }>()

  add(...words: readonly string[]): void {
    const known = this.#counts.get(words.join(SEPARATOR))
    if (known !== undefined) known.count += 1
    else if (this.#counts.size < MAX_COUNTS) this.#counts.set(words.join(SEPARATOR), { words, count: 1 })
    else this.#countRest(words.map(() => '_other'))
  }

  #countRest(words: readonly string[]): void {
    const key = words.join(SEPARATOR)
    const count = (this.#counts.get(key)?.count ?? 0) + 1
    this.#counts.set(key, { words, count })
  }

  entries(): readonly { readonly words: readonly string[]; readonly count: number }[] {
    return [...this.#counts.values()]
  }
}

/** In no id, name or code. */
const SEPARATOR = '\0'
const MAX_COUNTS = 1_000
