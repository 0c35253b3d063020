import type { BusbarCore } from '../client/busbar-core.js'
import type { ProviderCore } from '../client/provider-core.js'
import type { Snapshot } from '../client/sync/snapshot.js'
import { isBusbarError } from '../model/errors.js'
import type { ProbeSettings } from '../model/probe.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import { endsProbes } from '../rules/probe-interval.js'
import { kindOf } from './kinds.js'

/** A probe that this version cannot read: it is for the workers that can, whose plan for it stays as it is. */
export interface UnreadProbe {
  readonly kind: 'unread'
  /** Why, in words. */
  readonly problem: string
}

/** A registered provider, as it was found. */
export interface Seen {
  readonly provider: ProviderCore
  readonly snapshot: StoredSnapshot
  /** Undefined when it is not to be probed: no probe is configured, or a mark ended the loop. */
  readonly probe: ProbeSettings | UnreadProbe | undefined
}

/** The same, read from Redis just now. */
export interface Read extends Seen {
  readonly snapshot: Snapshot
}

/** Reads it from Redis. Undefined when it is not registered. One command where this process holds a handle. */
export async function readProvider(busbar: BusbarCore, id: string): Promise<Read | undefined> {
  try {
    const provider = (busbar.get(id) ?? (await busbar.lookup(id)))?.core
    if (provider === undefined) return undefined
    // It also brings the settings in force into the handle.
    return seen(provider, await provider.snapshot())
  } catch (error) {
    if (isBusbarError(error, 'provider_removed')) return undefined
    throw error
  }
}

/**
 * As this process knows it, without a word to Redis, where nothing is in the way of a probe and the kind of the probe does
 * not judge the snapshot itself.
 */
export async function cachedOrRead(busbar: BusbarCore, id: string): Promise<Seen | undefined> {
  const provider = busbar.get(id)?.core
  const probe = provider?.settings.probe
  const known = probe !== undefined && kindOf(probe.kind).judgesSnapshot ? undefined : provider?.knownFree
  return provider !== undefined && known !== undefined ? seen(provider, known) : readProvider(busbar, id)
}

function seen<S extends StoredSnapshot>(
  provider: ProviderCore,
  snapshot: S,
): Seen & { readonly snapshot: S } {
  return { provider, snapshot, probe: endsProbes(snapshot.mark) ? undefined : probeOf(provider) }
}

/** The probe that is configured, whatever the marks say. */
export function probeOf({ settings, stored }: ProviderCore): ProbeSettings | UnreadProbe | undefined {
  const unread = stored.unread.find(({ path }) => path === 'probe')
  return unread === undefined ? settings.probe : { kind: 'unread', problem: unread.problem ?? '' }
}
