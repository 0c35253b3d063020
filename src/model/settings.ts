import type { ProbeInput, ProbeSettings } from './probe.js'

export type { HttpProbeSettings, ProbeResult, ProbeSettings } from './probe.js'

/** The trials that may close an open circuit once its cooldown is over. */
export const RECOVERIES = ['traffic', 'probe', 'both'] as const
export type Recovery = (typeof RECOVERIES)[number]

/** When the circuit opens, how long it stays open, and what closes it. Shared by the whole fleet. */
export interface BreakerSettings {
  /**
   * Consecutive failures, of calls or of probes, that open a closed circuit. 1 to 1 000 000, default 3. Null, which needs a
   * rate beside it: no number of them does.
   */
  readonly failureThreshold: number | null
  /**
   * Share of failed calls in the rate window that opens a closed circuit. 0.05 to 1; absent: no share does. Slow on a provider
   * that is dead, so keep a `failureThreshold` beside it.
   */
  readonly failureRate?: number
  /**
   * Share of calls that were degraded or failed in the rate window that opens a closed circuit. 0.05 to 1; absent: no share does.
   * With it a degraded trial is a failed trial.
   */
  readonly degradedRate?: number
  /** Calls in the rate window below which no rate is judged. 2 to 10 000, default 20. */
  readonly minimumCalls: number
  /** Width of the rate window, ms. 1 000 to 600 000, default 10 000. */
  readonly rateWindowMs: number
  /** Distinct failure domains that must have seen failures before a rule opens the circuit. 1 (off) to 3, default 1. */
  readonly quorum: number
  /** After this long without a success of another domain, one domain is believed alone, ms. 100 to 600 000, default 5 000. */
  readonly quorumGraceMs: number
  /** How long the circuit stays open before trials begin, ms. 1 ms to 30 days, default 30 000. */
  readonly cooldownMs: number
  /** Successes in half-open that close the circuit. 1 to 1 000 000, default 1. */
  readonly successThreshold: number
  /** Trials under way at once while half-open, in the whole fleet. 1 to 1 000, default 1. */
  readonly halfOpenMaxTrials: number
  /** How long a trial may hold its slot, ms; a call with a longer `timeoutMs` holds it that long and 1 s. 1 ms to 1 day, default 30 000. */
  readonly trialLeaseMs: number
  /** Each re-opening without a closing between multiplies the cooldown by this. 1 to 100, default 1. */
  readonly cooldownMultiplier: number
  /** The cooldown never grows beyond this, ms. Default 600 000, or `cooldownMs` where that is longer. */
  readonly maxCooldownMs: number
  /** Each cooldown is lengthened by a random share of itself, up to this. 0 to 1, default 0. */
  readonly cooldownJitter: number
  /** The longest pause after a 429, ms, whatever `Retry-After` asks for. 1 ms to 1 day, default 600 000. */
  readonly maxThrottleMs: number
  /** `false`: everything is computed, counted and announced, and nothing is refused. Default true. */
  readonly enforce: boolean
  /**
   * The trials that may close the circuit: those of users' calls (`traffic`), of probes (`probe`, which needs the setting
   * `probe`), or of both, whichever comes first (`both`). Default `both`.
   */
  readonly recovery: Recovery
  /**
   * After trials closed the circuit, each worker lets calls through at a share that grows linearly from 10 % to 100 % in this
   * time, ms; the rest is refused with `recovering`. 0 to 3 600 000, default 0: all calls at once. Probes and trials are
   * exempt, a `reset` skips it, and without Redis it does not apply. The cooldown keeps growing until it is over.
   */
  readonly recoveryRampMs: number
}

/** How much of the past is kept, and how it is judged. */
export interface HistorySettings {
  /** Outcomes kept at most. 1 to 10 000 000, default 100 000. */
  readonly maxRecords: number
  /** Age at which an outcome stops counting, ms; one exactly this old still counts. 1 ms to 7 days, default 60 000. */
  readonly windowMs: number
  /** Success rate below which a provider counts as degraded. 0 to 1, default 0.8. */
  readonly degradationThreshold: number
}

/** The settings of one provider, complete. They live in Redis, and every process judges by the same numbers. */
export interface Settings {
  readonly breaker: BreakerSettings
  readonly history: HistorySettings
  /** A call that returned slower than this is `degraded`, ms. Default: none is. */
  readonly slowMs?: number
  readonly probe?: ProbeSettings
  /** The group of providers that it is a member of, in the letters of an id. Default: none. */
  readonly group?: string
  /** Members of a group with the lowest number come first. 0 to 100, default 0. */
  readonly priority?: number
  /** Its share among the members of equal priority; 0: only a last resort. 0 to 1 000, default 1. */
  readonly weight?: number
}

type Partially<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** The settings as a caller writes them: an omitted setting takes its default. */
export interface SettingsInput {
  readonly breaker?: Partially<BreakerSettings> | undefined
  readonly history?: Partially<HistorySettings> | undefined
  readonly slowMs?: number | undefined
  readonly probe?: ProbeInput | undefined
  readonly group?: string | undefined
  readonly priority?: number | undefined
  readonly weight?: number | undefined
}
