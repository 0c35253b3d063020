/** Why a probe is made: its turn came; a failed call brought it forward; a cooldown ended; it was asked for by hand. */
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
  /** What its probes need of a worker, such as `function/model`; empty: any probe worker can make them. */
  readonly needs: string
}

/** A probe queue of the fleet. */
export interface ProbeQueueState {
  /** By the name of its keys, such as `{busbar}:probes`. */
  readonly queue: string
  /** What its probes need of a worker, such as `function/model`; empty: any probe worker takes from it. */
  readonly needs: string
  /** Jobs that no worker has taken yet. */
  readonly waiting: number
  /** Jobs that workers have taken and not ended. */
  readonly active: number
  readonly paused: boolean
  /**
   * Whether a worker that takes from it was there in the last seconds; null where that is not known: of the queue of a shard
   * while it is paused.
   */
  readonly hasWorker: boolean | null
}

/** The probes that a planner was handed out. */
export interface Claims {
  /** Whether the caller is the planner of the shard now. If it is not, nothing is handed out. */
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
  /** What its probes need of a worker; empty: nothing. */
  readonly needs: string
  readonly why: ProbeReason
}

export interface ClaimRequest {
  /** The caller's own name. */
  readonly planner: string
  /** The caller becomes the planner if the present one has not asked for so long, ms; 0: in any case. */
  readonly takeAfterMs: number
  /** 0 to 1 000. */
  readonly max: number
  /** Nothing is handed out while so many jobs of the shard's queue wait. */
  readonly maxWaiting: number
  /** How often the planner of the moment is to check the jobs that the queue repeats, ms. */
  readonly checkMs: number
  /** Needs whose queues are full. Providers that have them stay in the schedule and hold up no others. */
  readonly full: readonly string[]
}

export interface ProbePlan {
  readonly intervalMs: number
  /** How long ago the last probe began, ms; null: none ever did. */
  readonly sinceMs: number | null
  /** What its probes need of a worker, `function/<name>` or `process/<name>`; empty: any worker can make them. */
  readonly needs: string
  /** When its recovery probe is to come, ms from now; -1: none is; null: one that is planned stays. */
  readonly recoveryInMs: number | null
}

/**
 * When the next probe of each provider is due, for the whole fleet, by the store's clock. The schedule lies in shards;
 * every process must be given the same number of them. Every method rejects with `RedisUnavailableError` when the
 * schedule cannot be reached.
 */
export interface Schedule {
  /** Of the keys of each shard. */
  readonly prefixes: readonly string[]
  /** Of the keys of the queues of names. */
  readonly namesPrefix: string
  /** Index of the shard that a provider belongs to. */
  shardOf(id: string): number
  /** The name of the probe queue of such needs, as the queue engine knows it; of a shard with ''. */
  queueName(needs: string): string
  /** True when the plan is another than before. */
  plan(id: string, plan: ProbePlan): Promise<boolean>
  /** True when there was a plan. */
  drop(id: string): Promise<boolean>
  /**
   * Plans an early probe: `inMs` from now, but not within `gapMs` of the last. True when it comes sooner now.
   */
  bringForward(id: string, options: { readonly inMs: number; readonly gapMs: number }): Promise<boolean>
  /**
   * Hands out the probes that are due, the longest due first, and plans the next turn of each. Hands out nothing while
   * the shard's queue is paused.
   */
  claim(shard: number, request: ClaimRequest): Promise<Claims>
  list(): Promise<readonly Planned[]>
  /** Says that this process takes from the queues of these needs, from now on for some seconds. */
  serve(needs: readonly string[]): Promise<void>
  /** The queue of such needs. */
  queueOf(needs: string): Promise<ProbeQueueState>
  /** The queue that the jobs of a provider are put into, whose probe has such needs. */
  queueFor(id: string, needs: string): Promise<ProbeQueueState>
  /** Every queue: of its shards, and of the names that workers registered within the last day. */
  queues(): Promise<readonly ProbeQueueState[]>
  /** The paused ones among them, by the names of their keys. */
  pausedQueues(): Promise<readonly string[]>
}
