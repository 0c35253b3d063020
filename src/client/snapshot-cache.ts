import type { Clock } from '../model/ports.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import { ageSnapshot } from './snapshot.js'

/**
 * The newest snapshot that this process has seen of one provider, from whatever brought it: the reply of a
 * script, a message, or a full read. An older version is dropped, because messages and replies overtake each
 * other. Deadlines are kept on this process's own monotonic clock.
 */
export class SnapshotCache {
  readonly #clock: Clock
  #held: { readonly snapshot: StoredSnapshot; readonly takenAt: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The version that scripts are told, so that they send no snapshot that is known already; 0 when none. */
  get version(): number {
    return this.#held?.snapshot.version ?? 0
  }

  /** The generation that an outcome without a permit bears; 0 when none is known. */
  get generation(): number {
    return this.#held?.snapshot.generation ?? 0
  }

  offer(snapshot: StoredSnapshot): void {
    const held = this.#held?.snapshot
    if (held !== undefined && snapshot.version < held.version) return
    if (held !== undefined && snapshot.version === held.version && snapshot.at < held.at) return
    this.#held = { snapshot, takenAt: this.#clock.now() }
  }

  /** The snapshot as it stands now; undefined when none was seen. */
  read(): StoredSnapshot | undefined {
    if (this.#held === undefined) return undefined
    return ageSnapshot(this.#held.snapshot, this.#clock.now() - this.#held.takenAt)
  }

  clear(): void {
    this.#held = undefined
  }
}
