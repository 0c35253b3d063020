import type { OutageCause } from './outage.js'
import type { CircuitState, HealthStatus, LaterWord, Mark } from './words.js'

/**
 * The state of one provider at one moment, as its store knows it: all that a worker needs to decide locally, and
 * the numbers behind it. Times ahead are relative (`...InMs`, `...ForMs`), because no two clocks agree. They count
 * from the moment at which the snapshot was taken.
 */
export interface StoredSnapshot {
  readonly id: string
  /** As every reader sees it: an open circuit whose cooldown is over is `half_open`. */
  readonly state: CircuitState
  /** When it became so, Redis ms. */
  readonly stateSince: number
  /** Grows at every transition. The result of a call that began in an older generation decides nothing. */
  readonly generation: number
  /** Grows with every change that workers must know. */
  readonly version: number
  /** Revision of the settings behind it. */
  readonly settingsRevision: number
  readonly enforce: boolean
  /** The group that its settings name; empty when they name none. */
  readonly group: string
  readonly consecutiveFailures: number
  readonly probeConsecutiveFailures: number
  readonly consecutiveSuccesses: number
  /** When the circuit last opened, Redis ms; null while closed. */
  readonly openedAt: number | null
  /** Time until trials begin, ms; 0 when there is nothing to wait for; null when only a reset ends it. */
  readonly retryAfterMs: number | null
  /** The cooldown in force without its jitter, ms; 0 while closed, unless calls are still held back after the closing. */
  readonly cooldownMs: number
  /** Time until all calls are let through again after a closing, ms; 0 when none is held back. See `recoveryRampMs`. */
  readonly rampForMs: number
  /** Why the circuit is as it is, in words: `registered` when it was never touched. */
  readonly reason: string
  /** Trials under way. */
  readonly trials: number
  /** Time until the first of them loses its slot, ms; 0 when there are none. */
  readonly trialFreeInMs: number
  /** Time until the provider may be called again after a 429, ms; 0 when it may now. */
  readonly throttledForMs: number
  readonly mark: Mark | null
  readonly markReason: string
  readonly markActor: string
  /** Time until the mark ends, ms; null when it has no end, or there is none. */
  readonly markForMs: number | null
  /** A mark has ended, and nothing has been written since: its end is still to be announced. */
  readonly markEnded: boolean
  /** Version at which the mark last changed. */
  readonly markVersion: number
  /** Outcomes in the window; those of them that were healthy; and those that failed. */
  readonly historyTotal: number
  readonly historyHealthy: number
  readonly historyFailed: number
  /** How much of the window the kept records cover, ms: less than `windowMs` when `maxRecords` cut it short. */
  readonly windowCoveredMs: number
  /** Calls of about the last window that ended as `client_error`: the provider answered, and the fault was the caller's. */
  readonly clientErrors: number
  /** The detail of the last of them, such as `HTTP 401`; empty when it had none, or there are none. */
  readonly lastClientError: string
  /** Calls of about the last window that ended as `ignored`: nothing was learned of the provider. */
  readonly ignored: number
  /** Why the last of them was ignored, such as `aborted`; empty when no reason was given, or there are none. */
  readonly lastIgnored: string
  /** When the circuit opened first since it was last closed, Redis ms: failed trials leave it as it is. Null while closed. */
  readonly outageSince: number | null
  /** Why it opened then, in words. */
  readonly outageReason: string
  /** `rule` or `hand`: what opened it then; empty while closed. */
  readonly outageBy: OutageCause | ''
  /** Trials that failed since then. */
  readonly outageTrials: number
  /** Outcomes that failed since then, trials and health checks included. */
  readonly outageDoomed: number
  /** Calls in the rate window; 0 while no rate rule is on, and while the circuit is not closed. */
  readonly windowCalls: number
  /** Those of them that failed; and those that were degraded. */
  readonly windowFailures: number
  readonly windowDegraded: number
  /** Share of failed calls in the rate window, 0 to 1, rounded down to ten-thousandths; null below `minimumCalls`. */
  readonly failureRate: number | null
  /** Share of degraded or failed calls in it; null below `minimumCalls`. */
  readonly degradedRate: number | null
  /** Processes that fail alone, while a quorum is set: their outcomes decide nothing. */
  readonly suspects: readonly Suspect[]
  /** Transitions since registration, by kind. */
  readonly openedTotal: number
  readonly halfOpenedTotal: number
  readonly closedTotal: number
  readonly resetTotal: number
  /** How long the circuit was open or half-open since registration, ms, up to `at`. */
  readonly openMsTotal: number
  /** For how long batches still count the calls of each worker, ms, unless somebody looks again; 0 while nobody does. */
  readonly viewedForMs: number
  /** Batches in a row whose last outcome was a failure, while closed: from the threshold on, the provider is suspect. */
  readonly failingBatches: number
  /** Outcomes applied since registration. */
  readonly applied: number
  readonly lastProbeStatus: HealthStatus | null
  readonly lastProbeDetail: string
  /** Redis ms; null when no probe has ended yet. */
  readonly lastProbeAt: number | null
  /**
   * Since when a probe's result is awaited, Redis ms: since the last result, or since a later change (of settings, the end
   * of a mark or of a pause). May lie ahead.
   */
  readonly probeAwaitedSince: number
  /** When `probe_overdue` was announced, Redis ms. Null when it was not, or a result has come since. */
  readonly probeOverdueAt: number | null
  /** When the last probe began, Redis ms; null when none has. */
  readonly probeStartedAt: number | null
  /** When the provider last reported by itself, Redis ms; null when it never has. */
  readonly heartbeatAt: number | null
  /** How far it had come then, in its own units; null when it never said. */
  readonly heartbeatProgress: number | null
  /** When that last changed, or the first heartbeat came, Redis ms. */
  readonly heartbeatProgressAt: number | null
  /** Redis ms at which all this held. */
  readonly at: number
}

/** A process that fails alone. */
export interface Suspect {
  readonly worker: string
  readonly domain: string
  /** When its run of failures began, Redis ms. */
  readonly since: number
  /** When it was named, Redis ms. */
  readonly namedAt: number
  /** Failures in that run, as far as it has told. */
  readonly failures: number
  /** Successes elsewhere since it was first heard to doubt itself. */
  readonly successes: number
  /** The failure domain whose success named it; `*`: a health check. */
  readonly against: string
}

/** How a field of the snapshot travels. `maybe`: a number, or null for none. */
export type SnapshotType =
  'number' | 'maybe' | 'text' | 'flag' | 'state' | 'mark' | 'cause' | 'status' | 'suspects'

const field = <T, const Type extends SnapshotType>(type: Type, missing: T) => ({ type, missing })

/**
 * Every field of a snapshot: how it travels, and what holds where it is missing, because another version wrote it. The
 * parser, the fallback without Redis and the tests' fixtures come from this table.
 */
export const SNAPSHOT_FIELDS = {
  id: field('text', ''),
  state: field('state', 'closed'),
  stateSince: field('number', 0),
  generation: field('number', 0),
  version: field('number', 0),
  settingsRevision: field('number', 0),
  enforce: field('flag', true),
  group: field('text', ''),
  consecutiveFailures: field('number', 0),
  probeConsecutiveFailures: field('number', 0),
  consecutiveSuccesses: field('number', 0),
  openedAt: field('maybe', null),
  retryAfterMs: field('maybe', 0),
  cooldownMs: field('number', 0),
  rampForMs: field('number', 0),
  reason: field('text', ''),
  trials: field('number', 0),
  trialFreeInMs: field('number', 0),
  throttledForMs: field('number', 0),
  mark: field('mark', null),
  markReason: field('text', ''),
  markActor: field('text', ''),
  markForMs: field('maybe', null),
  markEnded: field('flag', false),
  markVersion: field('number', 0),
  historyTotal: field('number', 0),
  historyHealthy: field('number', 0),
  historyFailed: field('number', 0),
  windowCoveredMs: field('number', 0),
  clientErrors: field('number', 0),
  lastClientError: field('text', ''),
  ignored: field('number', 0),
  lastIgnored: field('text', ''),
  outageSince: field('maybe', null),
  outageReason: field('text', ''),
  outageBy: field('cause', ''),
  outageTrials: field('number', 0),
  outageDoomed: field('number', 0),
  windowCalls: field('number', 0),
  windowFailures: field('number', 0),
  windowDegraded: field('number', 0),
  failureRate: field('maybe', null),
  degradedRate: field('maybe', null),
  suspects: field<readonly Suspect[], 'suspects'>('suspects', []),
  openedTotal: field('number', 0),
  halfOpenedTotal: field('number', 0),
  closedTotal: field('number', 0),
  resetTotal: field('number', 0),
  openMsTotal: field('number', 0),
  viewedForMs: field('number', 0),
  failingBatches: field('number', 0),
  applied: field('number', 0),
  lastProbeStatus: field('status', null),
  lastProbeDetail: field('text', ''),
  lastProbeAt: field('maybe', null),
  probeAwaitedSince: field('number', 0),
  probeOverdueAt: field('maybe', null),
  probeStartedAt: field('maybe', null),
  heartbeatAt: field('maybe', null),
  heartbeatProgress: field('maybe', null),
  heartbeatProgressAt: field('maybe', null),
  at: field('number', 0),
} as const satisfies {
  readonly [F in keyof StoredSnapshot]: { readonly type: SnapshotType; readonly missing: StoredSnapshot[F] }
}

/** A snapshot of which nothing is known. */
export const EMPTY_SNAPSHOT: StoredSnapshot = Object.freeze(
  // One value for each field of the table, whose type holds it to those of the interface.
  Object.fromEntries(
    Object.entries(SNAPSHOT_FIELDS).map(([name, { missing }]) => [name, missing]),
  ) as unknown as StoredSnapshot,
)

/** A run of equal outcomes in the history. */
export interface HistoryEntry {
  /** Time of the first outcome of the run, Redis ms. */
  readonly at: number
  /** A status that a later version added counts as a record, and neither as healthy nor as failed. */
  readonly status: HealthStatus | LaterWord
  readonly count: number
}
