import type { Store } from '../../model/ports/store.js'
import type { KnownReply, SettingsReply } from '../../model/ports/store-replies.js'
import type { SnapshotCache } from './snapshot-cache.js'

/** The knowledge that a process had of a provider when the store was wiped. */
interface Known {
  readonly id: string
  readonly caller: { readonly worker: string; readonly knownVersion: number }
  readonly settings: SettingsReply
  readonly cache: Pick<SnapshotCache, 'read'>
}

/**
 * Registers a provider again after a wipe of the store, with what this process knew: an open circuit stays open, marks and
 * pauses stay, and settings that an operator pinned stay pinned.
 * @throws RedisUnavailableError
 */
export async function registerAgain(
  store: Store,
  known: Known,
): Promise<{ readonly epoch: string; readonly registered: KnownReply<SettingsReply> }> {
  const epoch = await store.ensureEpoch()
  const restore = known.cache.read() ?? null
  const { settings, unread, pinned, setBy } = known.settings
  const byHand = pinned ? { operator: setBy, reason: '', notAfterMs: null } : undefined
  const request = { ...known.caller, settings, mode: 'keep' as const, restore, unread, byHand }
  return { epoch, registered: await store.register(known.id, request) }
}
