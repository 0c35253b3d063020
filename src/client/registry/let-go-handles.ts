/**
 * Handles that the process let go: of providers that somebody removed, and of members that a family has no room for. Those that
 * are still in use (the user holds them, a call or a write is under way) are found here, and are the ones that come back when
 * their provider is asked for again.
 */
export class LetGoHandles<T extends WeakKey> {
  readonly #byId = new Map<string, WeakRef<T>>()
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.get(id) === undefined) this.#byId.delete(id)
  })

  add(id: string, handle: T): void {
    this.#byId.set(id, new WeakRef(handle))
    this.#collected.register(handle, id, handle)
  }

  /** Undefined where there is none, or nothing holds it any more. */
  get(id: string): T | undefined {
    return this.#byId.get(id)?.deref()
  }

  /** Those that are in use. */
  *values(): Generator<T> {
    for (const handle of this.#byId.values()) {
      const held = handle.deref()
      if (held !== undefined) yield held
    }
  }

  delete(id: string, handle: T): void {
    this.#byId.delete(id)
    this.#collected.unregister(handle)
  }
}
