import type { Settings } from '../settings.js'
import type { StoredSnapshot } from '../snapshot.js'
import type { HealthStatus, Mark, Origin, Outcome } from '../words.js'
import type { UnreadSetting } from './store-replies.js'

/** The part of a request that every writing operation has. */
export interface Caller {
  readonly worker: string
  /** The version the caller knows; 0 when none. */
  readonly knownVersion: number
}

/** A command of an operator: the actor, and the time until which the command is meant. */
export interface ControlRequest extends Caller {
  readonly actor: string
  readonly reason: string
  /** Store ms; later than this the command does nothing. */
  readonly notAfterMs: number
}

export interface RegisterRequest extends Caller {
  readonly settings: Settings
  /** `keep`: use the stored settings if there are any. `set`: replace them. `release`: let code replace them again. */
  readonly mode: 'keep' | 'set' | 'release'
  /** The caller's last snapshot. Used only when the store knows nothing, after a wipe. */
  readonly restore: StoredSnapshot | null
  /**
   * Stored settings that the caller saw and could not read. With `keep`, they come back where the store knows nothing,
   * so that a wipe does not lose the settings of a newer version.
   */
  readonly unread?: readonly UnreadSetting[] | undefined
  /** Present when an operator sets the settings, and so pins them, or releases them. A pin stays when code sets them. */
  readonly byHand?: ByHand | undefined
}

export interface ByHand {
  /** Not empty. */
  readonly operator: string
  readonly reason: string
  /** Store ms; later than this nothing is done. Null: always. */
  readonly notAfterMs: number | null
}

export interface AdmitRequest extends Caller {
  readonly origin: Origin
  /** Made by the caller: a resent request gets the same lease. */
  readonly token: string
  readonly notAfterMs: number
  /** How long the lease lasts, ms; 0: as long as the settings say. */
  readonly leaseMs: number
  /** Random name of the life of the process; see `RecordRequest`. */
  readonly incarnation?: string | undefined
  /** The process's failure domain, `?` while it has never had a success; undefined while no quorum is set. */
  readonly failureDomain?: string | undefined
  /** A probe is turned away if another began less than this ago, ms. 0 for calls. */
  readonly minGapMs: number
}

/** A run of equal outcomes, in order. */
export interface Run {
  readonly origin: Origin
  readonly outcome: Outcome
  readonly count: number
  /** The generation that the caller knew when the call began. */
  readonly generation: number
  /** The trial's token, when it held a lease. */
  readonly token: string
  /** For `throttled`: ms from now; else 0. */
  readonly retryAfterMs: number
  /** Probes only: a result from other settings, or from before a mark, is dropped. */
  readonly settingsRevision: number
  readonly markVersion: number
  readonly detail: string
  /** How long ago it happened, ms; 0: just now. The history takes it at its time. */
  readonly ageMs: number
}

export interface RecordRequest extends Caller {
  /** A random name of one process. A worker restarted under the same id has another. */
  readonly incarnation: string
  readonly sequence: number
  /** Whether this batch was sent before, and its reply lost. */
  readonly resent: boolean
  /** 0 to 1: the draw behind `cooldownJitter`, made by the caller so that the script stays deterministic. */
  readonly jitterDraw: number
  /** The pause between flushes that the caller would keep by itself, ms. */
  readonly flushIntervalMs: number
  /** The provider's budget at its store, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
  /** Store ms; later than this nothing is done. */
  readonly notAfterMs: number
  /** How long ago the caller lost the store, ms; null: not since its last batch. */
  readonly lostMsAgo: number | null
  /** What fails together with this process; undefined, as the next three, while no quorum is set. */
  readonly failureDomain?: string | undefined
  /** Whether this process has ever had a success of this provider. */
  readonly tried?: boolean | undefined
  /** Failures of this process in a row, in the present generation. */
  readonly ownFailures?: number | undefined
  /** How long ago the first of them was, ms. */
  readonly ownSinceMs?: number | undefined
  /** Whether somebody looks at the calls of each worker, as far as the caller knows; without it they are not counted. */
  readonly viewed?: boolean | undefined
  readonly runs: readonly Run[]
}

/** The provider reports by itself that it lives. */
export interface HeartbeatRequest extends Caller {
  /** How far it has come, a whole number in its own units; null: it does not say. */
  readonly progress: number | null
  /** Store ms; later than this nothing is done. */
  readonly notAfterMs: number
}

/** A prober that saw no result for too long. */
export interface OverdueRequest extends Caller {
  /** The silence from which on a result is overdue, ms. */
  readonly overdueMs: number
  /** How often a probe is wanted as the provider is now, ms. */
  readonly intervalMs: number
}

export interface TripRequest extends ControlRequest {
  /** ms until half-open; null: only a reset ends it. */
  readonly forMs: number | null
}

export interface MarkRequest extends ControlRequest {
  readonly mark: Mark
  /** ms until the mark ends by itself; null: never. */
  readonly forMs: number | null
}

export interface ResumeRequest extends ControlRequest {
  /** Clears only a mark that has ended, and so announces its end. Default: clears any mark. */
  readonly endedOnly?: boolean
}

/** A process uses a member of a family. */
export interface TouchRequest extends Caller {
  /** How long the member stays without a use, ms. */
  readonly idleMs: number
  /** Whether it is to leave at all from now on; else only if it was to leave before. */
  readonly begin: boolean
}

/** The result of a probe, on its way to the store. */
export interface ProbeOutcome {
  readonly status: HealthStatus
  readonly detail: string
}
