import type { ProviderEvent } from '../events.js'
import type { Outage } from '../outage.js'
import type { HistoryEntry } from '../snapshot.js'
import type {
  AdmitResult,
  KnownReply,
  ProviderSummary,
  RecordResult,
  Reply,
  SettingsReply,
  ViewResult,
} from './store-replies.js'
import type {
  AdmitRequest,
  Caller,
  ControlRequest,
  HeartbeatRequest,
  MarkRequest,
  OverdueRequest,
  RecordRequest,
  RegisterRequest,
  ResumeRequest,
  TouchRequest,
  TripRequest,
} from './store-requests.js'

// An adapter of the store names all of them: it has one import.
export type * from './store-replies.js'
export type * from './store-requests.js'

/**
 * Where the shared state lives. Two adapters: `redis/` (the Lua decides) and `memory/` (over `rules/`); one
 * contract suite holds both to the same behaviour. Every method rejects with `RedisUnavailableError` when
 * the store cannot be reached: the outcome is then unknown.
 */
export interface Store {
  /** The name of this life of the store: another after a wipe. Null from a wipe until the next registration. */
  epoch(): Promise<string | null>
  /** As `epoch`, and begins a life where there is none. */
  ensureEpoch(): Promise<string>
  /** @throws CommandLateError; UnknownProviderError when there is nothing to release. */
  register(id: string, request: RegisterRequest): Promise<KnownReply<SettingsReply>>
  admit(id: string, request: AdmitRequest): Promise<Reply<AdmitResult>>
  record(id: string, request: RecordRequest): Promise<Reply<RecordResult>>
  recordHeartbeat(id: string, request: HeartbeatRequest): Promise<Reply>
  /** Announces the silence of the probes, once, if it has lasted so long. */
  overdue(id: string, request: OverdueRequest): Promise<Reply>
  reset(id: string, request: ControlRequest): Promise<Reply>
  trip(id: string, request: TripRequest): Promise<Reply>
  mark(id: string, request: MarkRequest): Promise<Reply>
  resume(id: string, request: ResumeRequest): Promise<Reply>
  remove(id: string, request: ControlRequest): Promise<Reply>
  /** A member of a family is used: it leaves the store when this was not said for so long. */
  touch(id: string, request: TouchRequest): Promise<Reply>
  /** Removes a member of a family that is idle; one that a person marked, tripped without end, or pinned stays. */
  expire(id: string, request: Caller): Promise<Reply<{ readonly expired: boolean }>>
  /**
   * Somebody looks at the calls of each worker: for the next 30 s batches count them, and at no other time. The first look is
   * announced, so that the workers learn of it, and so is the end. Probes, and calls that were ignored, are not counted.
   */
  view(id: string, request: Caller): Promise<Reply<ViewResult>>
  /** Members of families that may be idle, `count` at most: `expire` says which are. */
  idleProviders(count: number): Promise<readonly string[]>
  /** Always carries a snapshot. Writes nothing. */
  snapshot(id: string): Promise<Reply>
  settings(id: string): Promise<SettingsReply | null>
  /**
   * Checks the keys of a provider, so that a key of a wrong type is found before an operation needs it.
   * @throws RedisUnavailableError (`permanent`) naming a key that holds something of another type
   */
  verify(id: string): Promise<void>
  /** The newest `count` runs that began at `sinceMs` or later, oldest first. */
  history(id: string, count: number, sinceMs: number): Promise<readonly HistoryEntry[]>
  /** The newest `count` events, oldest first. */
  events(id: string, count: number): Promise<readonly ProviderEvent[]>
  /** The newest `count` outages that ended, oldest first; at most the last 100 are kept. */
  outages(id: string, count: number): Promise<readonly Outage[]>
  providers(): Promise<readonly ProviderSummary[]>
  /** Ids of the providers whose settings name this group. */
  members(group: string): Promise<readonly string[]>
  /** Information only; no decision reads it. `domain`: the failure domain of the process; undefined where it was said before. */
  touchWorker(worker: string, domain?: string): Promise<void>
  close(): Promise<void>
}
