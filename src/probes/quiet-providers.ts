import type { BusbarCore } from '../client/busbar-core.js'

/**
 * Providers that want nothing of probe workers: neither probed nor marked, as the members of a family are, of which there may
 * be very many. They are read without a handle, so that a worker does not come to hold every provider of the fleet, and those
 * that were found quiet are left out of the passes over everything but for a few each time: what changes them comes as a message.
 */
export class QuietProviders {
  /** Those that were looked at the longest ago come first. */
  readonly #ids = new Set<string>()

  /** Messages may have been missed: nothing is known of them any more. */
  forget(): void {
    this.#ids.clear()
  }

  /** Those of `ids` that a pass is to look at. */
  without(ids: Iterable<string>): string[] {
    let turn = 0
    for (const id of this.#ids) {
      if (turn >= LOOKED_AT_AGAIN) break
      this.#ids.delete(id)
      turn += 1
    }
    return [...ids].filter((id) => !this.#ids.has(id))
  }

  /**
   * Reads one that this process has no handle of. The revision of its settings where it is quiet; undefined where it is not, or
   * is not registered, or there is a handle.
   */
  async look(busbar: BusbarCore, id: string): Promise<number | undefined> {
    this.#ids.delete(id)
    if (busbar.get(id) !== undefined) return undefined
    const { store } = busbar.context
    const [found, reply] = await Promise.all([store.settings(id), store.snapshot(id)])
    if (found === null || reply.status !== 'ok' || reply.snapshot === null) return undefined
    const { settings, unread, revision } = found
    const { mark, markEnded } = reply.snapshot
    if (settings.probe !== undefined || unread.some(({ path }) => path === 'probe')) return undefined
    if (mark !== null || markEnded) return undefined
    this.#ids.add(id)
    return revision
  }
}

/** Quiet providers that a pass looks at again: in a fleet of that many all of them, each time. */
const LOOKED_AT_AGAIN = 1_000
