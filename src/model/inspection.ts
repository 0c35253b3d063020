import type { Planned } from './ports/schedule.js'

/** The state of the Redis behind a fleet, for `busbar doctor`. Null: it could not be read. */
export interface Inspection {
  /** `7.0.15`; of the server that answered, on a Cluster one of many. */
  readonly version: string | null
  /** `master`, `slave`. */
  readonly role: string | null
  readonly evictionPolicy: string | null
  readonly maxmemoryBytes: number | null
  readonly usedMemoryBytes: number | null
  readonly appendOnly: boolean | null
  /** The `save` rules of snapshots to disk; empty: none are written. */
  readonly saveRules: string | null
  /** Whether the last snapshot to disk, and the last write of the append-only file, ended well. */
  readonly persistenceOk: boolean | null
  readonly hz: number | null
  /** The schema of the keys; null when the namespace has none yet. */
  readonly schema: string | null
  /** Round trips just measured, ms, the shortest first. */
  readonly roundTripsMs: readonly number[]
  /** Redis's clock minus this host's, ms; exact to half a round trip. */
  readonly clockAheadMs: number
  /** Why a script could not be loaded; null when all could. */
  readonly scriptsProblem: string | null
  readonly scriptCount: number
  /** Why a message did not come back; null when it did. */
  readonly pubSubProblem: string | null
  /** Processes that sent a heartbeat in the last ten minutes. */
  readonly workers: readonly {
    readonly id: string
    readonly lastSeenAgoMs: number
    /** What fails together with it, as it said itself; null where an older version of Busbar runs it. */
    readonly domain: string | null
  }[]
  /**
   * Keys of another type than Busbar keeps there, and the provider that each belongs to. Null when this user of Redis
   * may not ask (TYPE).
   */
  readonly wrongTypes: readonly WrongType[] | null
  /** Providers whose probes are planned, how often, and how late the next one is. */
  readonly planned: readonly Planned[]
  /** Paused probe queues, by the names of their keys. No probe of theirs is made. */
  readonly pausedProbeQueues: readonly string[]
}

/** A key of another type than Busbar keeps there. */
export interface WrongType {
  readonly key: string
  /** The type that was found, in the words of Redis: `string`, `list`, ... */
  readonly found: string
  /** The type that Busbar keeps there. */
  readonly expected: string
  /** The provider; null when the key is of the whole fleet. */
  readonly provider: string | null
}
