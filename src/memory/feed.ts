import type { Change } from '../model/events.js'

/** Changes of a memory store, emitted a microtask later, as a message would come after its reply. */
export class MemoryChannel {
  readonly #listeners = new Set<(change: Change) => void>()

  publish(change: Change): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(change)
      })
    }
  }

  /** Returns a function that ends the subscription. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
