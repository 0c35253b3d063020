import type { Busbar, Provider } from '../index.js'
import { UnknownProviderError } from '../index.js'
import type { MetricsText } from './metrics.js'
import type { FleetState } from './fleet-state.js'
import type { MatrixState } from './matrix-state.js'
import type { Viewer } from './rights.js'
import type { StreamHub } from './stream/stream-hub.js'

/** What one handler works with. */
export interface Site {
  readonly busbar: Busbar
  readonly fleet: FleetState
  readonly hub: StreamHub
  readonly metrics: MetricsText
  readonly matrix: MatrixState
  readonly title: string
  readonly environment: string
  readonly readOnly: boolean
  /** Whether this viewer may know of a provider. */
  readonly sees: (id: string, viewer: Viewer) => boolean
  /** Whether there are providers that some viewers may not know of. */
  readonly filtered: boolean
}

/** One authorized request. */
export interface Exchange {
  readonly site: Site
  readonly request: Request
  readonly url: URL
  readonly viewer: Viewer
  /** The id in the path; empty where it has none. */
  readonly id: string
}

export const json = (value: object): Response =>
  new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } })

/**
 * The provider of a request. One that this viewer may not know of looks as one that is not there.
 * @throws UnknownProviderError, ArgumentError, RedisUnavailableError
 */
export async function providerOf({ site, viewer, id }: Exchange): Promise<Provider> {
  const { busbar } = site
  const provider = busbar.get(id) ?? (await busbar.lookup(id))
  if (provider === undefined || !site.sees(id, viewer)) throw new UnknownProviderError(id)
  return provider
}
