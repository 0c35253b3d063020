import type { HeartbeatProbeSettings, NothingYet } from '../../model/probe.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { Finding } from './explain.js'

/** When a provider last reported by itself, as its snapshot tells; all by Redis's clock. */
export type Heard = Pick<StoredSnapshot, 'at' | 'heartbeatAt' | 'heartbeatProgress' | 'heartbeatProgressAt'>

/**
 * Costs no command: the snapshot was read at the beginning of the tick. The first heartbeat is waited for from
 * `settingsSetAt` on, Redis ms.
 */
export function judgeHeartbeat(
  { ttlMs, stallMs }: HeartbeatProbeSettings,
  { at, heartbeatAt, heartbeatProgress, heartbeatProgressAt }: Heard,
  settingsSetAt: number,
): Finding | NothingYet {
  if (heartbeatAt === null) {
    return at - settingsSetAt > ttlMs
      ? { status: 'timeout', detail: `no heartbeat yet, ${ttlMs} ms after it was registered` }
      : { pending: true, reason: 'no heartbeat yet' }
  }
  const silentMs = at - heartbeatAt
  if (silentMs > ttlMs) return { status: 'timeout', detail: `no heartbeat for ${silentMs} ms` }
  const stalledMs = at - (heartbeatProgressAt ?? heartbeatAt)
  if (stallMs !== undefined && stalledMs > stallMs) {
    const where = heartbeatProgress === null ? '' : ` beyond ${heartbeatProgress}`
    return { status: 'degraded', detail: `heartbeats, but no progress${where} for ${stalledMs} ms` }
  }
  const progress = heartbeatProgress === null ? '' : `, progress ${heartbeatProgress}`
  return { status: 'healthy', detail: `heartbeat ${silentMs} ms ago${progress}` }
}
