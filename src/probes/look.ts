import type { Busbar } from '../client/busbar.js'
import type { Provider } from '../client/provider.js'
import type { Snapshot } from '../client/snapshot.js'
import { isBusbarError } from '../model/errors.js'
import type { ProbeSettings } from '../model/settings.js'

/** A registered provider, read from Redis just now. */
export interface Seen {
  readonly provider: Provider
  readonly snapshot: Snapshot
  /** Undefined when it is not to be probed: no probe is configured, or a mark ended the loop. */
  readonly probe: ProbeSettings | undefined
}

/** Undefined when nobody registered it. One command where this process holds a handle. */
export async function look(busbar: Busbar, id: string): Promise<Seen | undefined> {
  try {
    const provider = busbar.get(id) ?? (await busbar.lookup(id))
    if (provider === undefined) return undefined
    // It also brings the settings in force into the handle.
    const snapshot = await provider.snapshot()
    const ended = snapshot.mark === 'unhealthy' || snapshot.mark === 'terminated'
    return { provider, snapshot, probe: ended ? undefined : provider.settings.probe }
  } catch (error) {
    if (isBusbarError(error, 'provider_removed')) return undefined
    throw error
  }
}
