import type { FleetState } from './fleet-state.js'

/** How the page stands to its server. */
export type Link = 'connecting' | 'live' | 'lost' | 'unauthorized' | 'forbidden'

/** Whether what is shown is how things are. */
export type Standing =
  | { readonly kind: 'live' | 'connecting' | 'unlinked' | 'old' | 'unauthorized' | 'forbidden' }
  | { readonly kind: 'store_lost'; readonly since: number }

/** All providers are read every 5 s: what is older than three of these is old. */
const OLD_MS = 15_000

export function standing({ readAt, storeLostAt }: FleetState, link: Link, now: number): Standing {
  if (link === 'unauthorized' || link === 'forbidden') return { kind: link }
  if (storeLostAt !== null) return { kind: 'store_lost', since: storeLostAt }
  if (link === 'lost') return { kind: 'unlinked' }
  if (readAt === 0) return { kind: 'connecting' }
  return { kind: now - readAt > OLD_MS ? 'old' : 'live' }
}
