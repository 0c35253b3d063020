import type { ProviderEvent } from '../events.js'
import type { Settings } from '../settings.js'
import type { StoredSnapshot } from '../snapshot.js'
import type { WorkerTally } from '../worker-tally.js'
import type { RefusalCode } from '../words.js'

/** The reply to every store operation. `T` is what the operation adds. */
export type Reply<T = unknown> = UnknownReply | LateReply | KnownReply<T>

/** The provider has no keys: never registered, removed, or wiped. Nothing was written. */
export interface UnknownReply {
  readonly status: 'unknown_provider'
  readonly nowMs: number
}

/** The command ran after its `notAfterMs` and did nothing. */
export interface LateReply {
  readonly status: 'late'
  readonly nowMs: number
}

export type KnownReply<T> = {
  readonly status: 'ok'
  /** The store's clock, ms. */
  readonly nowMs: number
  /** Outcomes applied so far, including those of this operation. */
  readonly applied: number
  /** Null when the caller's version is the current one. */
  readonly snapshot: StoredSnapshot | null
  /** Transitions that this operation made. They are announced by its caller alone. */
  readonly events: readonly ProviderEvent[]
} & T

export interface AdmitResult {
  readonly admitted: boolean
  /** Why not; with `enforce: false`, why it would not have been. */
  readonly code: RefusalCode | 'probed_recently' | null
  readonly reason: string
  /** The latest deadline that blocks, ms from now; null when none is known. */
  readonly retryAfterMs: number | null
  readonly generation: number
  /** Whether a trial lease was granted. */
  readonly trial: boolean
  readonly settingsRevision: number
  readonly markVersion: number
}

export interface RecordResult {
  /** Whether this batch was applied before. If so, nothing was done now. */
  readonly duplicate: boolean
  /** Outcomes of an older generation. They decided nothing, and are in the history. */
  readonly outdated: number
  /** Probe results dropped because settings or marks had changed under them. */
  readonly dropped: number
  /** How long the caller is to wait before its next flush, ms. */
  readonly waitMs: number
  /** The share of workers whose failures may go at once, above 0 to 1; those of the others wait. */
  readonly urgentShare: number
}

export interface ViewResult {
  /** Since when the calls of each worker are counted, store ms: since somebody began to look. */
  readonly sinceMs: number
  /** Of the last 30 to 60 s, in the order of the workers' names; no more than 500 and one for all others. */
  readonly tallies: readonly WorkerTally[]
}

export interface SettingsReply {
  readonly settings: Settings
  readonly revision: number
  readonly setBy: string
  readonly setAt: number
  /** Whether an operator set them: then code does not replace them until they are released. */
  readonly pinned: boolean
  /** Stored settings that this version does not know, or cannot read. Usually empty. */
  readonly unread: readonly UnreadSetting[]
}

/** A stored setting that this version leaves as it is, because another one wrote it. */
export interface UnreadSetting {
  readonly path: string
  /** Its text in the store; may hold a secret. */
  readonly stored: string
  /** Why this version goes by the default instead, without secrets; null where it does not know the setting at all. */
  readonly problem: string | null
}

export interface ProviderSummary {
  readonly id: string
  readonly registeredAt: number
}
