/**
 * Handles of removed providers. The process lets them go, but for those that the user still holds: such a
 * handle answers `ProviderRemovedError`, and is the one that comes back to life when its provider is registered again.
 */
export class RemovedHandles<T extends WeakKey> {
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

  delete(id: string, handle: T): void {
    this.#byId.delete(id)
    this.#collected.unregister(handle)
  }
}
