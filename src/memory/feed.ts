import type { Change } from '../model/events.js'
import type { Feed, FeedListener } from '../model/ports.js'

/** Changes of a memory store, told a microtask later, as a message would come after its reply. */
export class MemoryFeed implements Feed {
  #listener: FeedListener | undefined

  publish(change: Change): void {
    queueMicrotask(() => this.#listener?.change(change))
  }

  subscribe(listener: FeedListener): Promise<void> {
    this.#listener = listener
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#listener = undefined
    return Promise.resolve()
  }
}
