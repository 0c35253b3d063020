import type { Change, ProviderEvent } from './events.js'
import type { Outage } from './outage.js'
import type { Settings } from './settings.js'
import type { HistoryEntry, StoredSnapshot } from './snapshot.js'
import type { HealthStatus, Mark, Origin, Outcome, RefusalCode } from './words.js'

/** What every store operation answers. `T` is what the operation adds. */
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
  /** Outcomes applied so far, this operation's included. */
  readonly applied: number
  /** Present when the caller's version was not the current one. */
  readonly snapshot: StoredSnapshot | null
  /** Transitions that this very operation made; the caller is their winner. */
  readonly events: readonly ProviderEvent[]
} & T

/** What every writing operation bears. */
export interface Caller {
  readonly worker: string
  /** The version the caller knows; 0 when none. */
  readonly knownVersion: number
}

/** Control commands carry who asked, and the latest moment at which they still mean it. */
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
  /** What the caller last knew; used only when the store knows nothing, after a wipe. */
  readonly restore: StoredSnapshot | null
  /** Of the settings that the caller last saw, those that it left unread: with `keep`, where the store knows nothing, they come back. */
  readonly unread?: readonly UnreadSetting[] | undefined
  /** Who sets, and so pins, or releases the settings by hand; none: code does, and what is pinned stays. */
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
  /** A probe is turned away if another began less than this ago, ms. 0 for calls. */
  readonly minGapMs: number
}

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
  /** A random name of the process's life: a worker restarted under the same id is another. */
  readonly incarnation: string
  readonly sequence: number
  /** Whether this batch was sent before, and its reply lost. */
  readonly resent: boolean
  /** 0 to 1: the draw behind `cooldownJitter`, made by the caller so that the script stays deterministic. */
  readonly jitterDraw: number
  /** The pause between flushes that the caller would keep by itself, ms. */
  readonly flushIntervalMs: number
  /** What the provider may cost its store, batches of the whole fleet per second. */
  readonly maxBatchesPerSecond: number
  /** Store ms; later than this nothing is done. */
  readonly notAfterMs: number
  /** How long ago the caller lost the store, ms; null: not since its last batch. */
  readonly lostMsAgo: number | null
  readonly runs: readonly Run[]
}

export interface RecordResult {
  /** Whether this batch was applied before: then nothing was done now. */
  readonly duplicate: boolean
  /** Outcomes that decided nothing because they bore an older generation; they are in the history. */
  readonly late: number
  /** Probe results dropped because settings or marks had changed under them. */
  readonly dropped: number
  /** How long the caller is to wait before its next flush, ms. */
  readonly waitMs: number
  /** The share of workers whose failures may go at once, above 0 to 1; those of the others wait. */
  readonly urgentShare: number
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
  /** Clears only a mark that has ended: its end is announced then. Default: whatever mark there is. */
  readonly endedOnly?: boolean
}

export interface SettingsReply {
  readonly settings: Settings
  readonly revision: number
  readonly setBy: string
  readonly setAt: number
  /** Whether an operator set them: then code does not replace them until they are released. */
  readonly pinned: boolean
  /** What else stands there: this version does not know it, or cannot read it. Usually empty. */
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

/**
 * Where the shared state lives. Two adapters: `redis/` (the Lua decides) and `memory/` (over `rules/`); one
 * contract suite holds both to the same behaviour. Every method rejects with `RedisUnavailableError` when
 * the store cannot be reached: the outcome is then unknown.
 */
export interface Store {
  /** The name of this life of the store: another after a wipe. Null when it was wiped and nobody came yet. */
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
  /** Always carries a snapshot. Writes nothing. */
  snapshot(id: string): Promise<Reply>
  settings(id: string): Promise<SettingsReply | null>
  /**
   * Looks at what is stored of a provider, where no other operation would before it matters.
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
  /** Information only; no decision reads it. */
  touchWorker(worker: string): Promise<void>
  close(): Promise<void>
}

/** Why a probe is made: its turn came; a failed call brought it forward; a cooldown ended; somebody asked for it. */
export type ProbeReason = 'scheduled' | 'early' | 'recovery' | 'by_hand'

/** A provider whose probes are planned. */
export interface Planned {
  readonly id: string
  readonly intervalMs: number
  /** How long the next probe has been due, ms; 0 while it is not. */
  readonly lateMs: number
  /** ms until the next probe is due; 0 once it is. */
  readonly nextInMs: number
  /** Why the next probe is made. */
  readonly why: ProbeReason
  /** The probe queue that its jobs are put into, by the name of its keys, such as `{busbar}:probes`. */
  readonly queue: string
  /** The code of a worker that its probes need, such as `function/model`; empty: any probe worker can make them. */
  readonly code: string
}

/** A probe queue of the fleet. */
export interface ProbeQueueState {
  /** By the name of its keys, such as `{busbar}:probes`. */
  readonly queue: string
  /** The code of a worker that its probes need, such as `function/model`; empty: any probe worker takes from it. */
  readonly code: string
  /** Jobs that no worker has taken yet. */
  readonly waiting: number
  /** Jobs that workers have taken and not ended. */
  readonly active: number
  readonly paused: boolean
  /**
   * Whether a worker that takes from it was there in the last seconds; null where that is not known: of the queue of a shard
   * while it is paused.
   */
  readonly served: boolean | null
}

/** The probes that a planner was handed out. */
export interface Claims {
  /** Whether the caller is the planner of the shard now; otherwise there is nothing. */
  readonly planner: boolean
  /** Whether the caller is to check the jobs that the queue repeats. */
  readonly check: boolean
  /** When, by the clock of the schedule, ms. */
  readonly atMs: number
  readonly claimed: readonly Claim[]
  /** ms until the next may be handed out; null when none is planned. */
  readonly nextInMs: number | null
}

export interface Claim {
  readonly id: string
  readonly intervalMs: number
  /** The code of a worker that its probes need; empty: none but a worker's own. */
  readonly code: string
  readonly why: ProbeReason
}

export interface ClaimRequest {
  /** The caller's own name. */
  readonly planner: string
  /** The caller becomes the planner if the present one has not asked for so long, ms; 0: whoever that is. */
  readonly takeAfterMs: number
  /** 0 to 1 000. */
  readonly max: number
  /** Nothing is handed out while so many jobs of the shard's queue wait. */
  readonly maxWaiting: number
  /** How often a planner, whichever it is, is to check the jobs that the queue repeats, ms. */
  readonly checkMs: number
  /** Code whose queues are full: what needs it is left in the schedule, and holds up nothing. */
  readonly full: readonly string[]
}

export interface ProbePlan {
  readonly intervalMs: number
  /** How long ago the last probe began, ms; null: none ever did. */
  readonly sinceMs: number | null
  /** The code of a worker that its probes need, `function/<name>` or `process/<name>`; empty: any worker can make them. */
  readonly code: string
  /** When its recovery probe is to come, ms from now; -1: none is; null: one that is planned stays. */
  readonly recoveryInMs: number | null
}

/**
 * When the next probe of each provider is due, for the whole fleet, by the store's clock. It lies in shards; every
 * process must be given the same number of them. Every method rejects with `RedisUnavailableError` when it cannot be reached.
 */
export interface Schedule {
  /** Of the keys of each shard. */
  readonly prefixes: readonly string[]
  /** Of the keys of the queues of names. */
  readonly namesPrefix: string
  /** Index of the shard that a provider belongs to. */
  shardOf(id: string): number
  /** The name of the probe queue of such code, as the queue engine knows it; of a shard with ''. */
  queueName(code: string): string
  /** True when its turns were not planned so before. */
  plan(id: string, plan: ProbePlan): Promise<boolean>
  /** True when there was a plan. */
  drop(id: string): Promise<boolean>
  /**
   * Plans an early probe: `inMs` from now, but not within `gapMs` of the last. True when it comes sooner now.
   */
  bringForward(id: string, options: { readonly inMs: number; readonly gapMs: number }): Promise<boolean>
  /** Takes what is due, the longest due first; the next turn of each is then planned. Nothing while the shard's queue is paused. */
  claim(shard: number, request: ClaimRequest): Promise<Claims>
  list(): Promise<readonly Planned[]>
  /** Says that this process takes from the queues of this code, from now on for some seconds. */
  serve(codes: readonly string[]): Promise<void>
  /** The queue of such code. */
  queueOf(code: string): Promise<ProbeQueueState>
  /** The queue that the jobs of a provider are put into, whose probe needs such code. */
  queueFor(id: string, code: string): Promise<ProbeQueueState>
  /** Every queue: of its shards, and of the code that workers registered within the last day. */
  queues(): Promise<readonly ProbeQueueState[]>
  /** Those of them that somebody paused, by the names of their keys. */
  pausedQueues(): Promise<readonly string[]>
}

/** How changes reach every process. */
export interface Feed {
  /**
   * Calls `listener` for every change in the namespace, in order of arrival, until `close`. Rejects when the first attempt
   * fails, and goes on trying all the same: then `gap` says when it has succeeded.
   */
  subscribe(listener: FeedListener): Promise<void>
  /** Whoever subscribed asks, after the store was lost, whether the subscription lives; if not, `lost` and `gap` follow. */
  confirm(): Promise<void>
  close(): Promise<void>
}

export interface FeedListener {
  change(change: Change): void
  /** The subscription is lost: messages may be missed from now on. */
  lost(): void
  /** Subscribed again: what was missed must be read. */
  gap(): void
}

/** What a probe found, on its way to the store. */
export interface ProbeOutcome {
  readonly status: HealthStatus
  readonly detail: string
}

/** Time as a process sees it: monotonic, ms, never compared with anybody else's. */
export interface Clock {
  now(): number
}

/** Timers that fire by a process's clock. */
export interface Timers {
  /** Calls `fire` once, `ms` from now. */
  set(ms: number, fire: () => void): Timer
  /** Calls `fire` every `ms`, first `ms` from now. */
  every(ms: number, fire: () => void): Timer
}

export interface Timer {
  /** It fires no more. Does nothing the second time. */
  clear(): void
  /** The process may end before it fires. */
  unref(): Timer
}
