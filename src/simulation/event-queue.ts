interface Entry {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** What is to happen, in the order of time; at one moment in the order in which it was planned. A binary heap. */
export class EventQueue {
  readonly #heap: Entry[] = []
  #planned = 0
  /** The time of the event that happens, ms since the simulation began. */
  now = 0

  /** Plans `run` at a time that is not over, ms since the simulation began. */
  at(at: number, run: () => void): void {
    const entry = { at: Math.max(at, this.now), order: this.#planned, run }
    this.#planned += 1
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run)
  }

  /** Lets everything happen that is planned until then, and what that plans. */
  runUntil(endMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= endMs; first = this.#heap[0]) {
      this.#removeFirst()
      this.now = first.at
      first.run()
    }
    this.now = endMs
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [heap[left], heap[left + 1]]
      if (a === undefined) break
      const least = b !== undefined && before(b, a) ? b : a
      if (before(last, least)) break
      heap[index] = least
      index = least === a ? left : left + 1
    }
    heap[index] = last
  }
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
