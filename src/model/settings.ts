import type { HealthStatus } from './words.js'

/** When the circuit opens, how long it stays open, and what closes it. Shared by the whole fleet. */
export interface BreakerSettings {
  /** Consecutive failures, of calls or of probes, that open a closed circuit. 1 to 1 000 000, default 3. */
  readonly failureThreshold: number
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
  /** `false`: everything is computed, counted and announced, and nothing is refused. Default true. */
  readonly enforce: boolean
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

/** An HTTP request as a health check. */
export interface HttpProbeSettings {
  readonly kind: 'http'
  /** `http:` or `https:`. */
  readonly url: string
  /** Default `GET`. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** Request headers. Stored in Redis in clear. Default none. */
  readonly headers: Readonly<Record<string, string>>
  /** Statuses that count as an answer, each a code (`200`) or a class (`2xx`). Default `['2xx']`. */
  readonly expectStatus: readonly (number | string)[]
  /** The body must contain this text. Default: the body is not looked at. */
  readonly bodyContains?: string
  /** An answer slower than this is `degraded`, ms. Default: none is. */
  readonly degradedMs?: number
  /** How often the fleet probes, ms. 10 ms to 1 day, default 10 000. */
  readonly intervalMs: number
  /** A probe that has not ended by then is `timeout`, ms. Default 2 000, or the interval where that is shorter. */
  readonly timeoutMs: number
}

export type ProbeSettings = HttpProbeSettings

/** The settings of one provider, complete. They live in Redis, and every process judges by the same numbers. */
export interface Settings {
  readonly breaker: BreakerSettings
  readonly history: HistorySettings
  /** A call that returned slower than this is `degraded`, ms. Default: none is. */
  readonly slowMs?: number
  readonly probe?: ProbeSettings
}

type Partially<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** The settings as a caller writes them: whatever is left out takes its default. */
export interface SettingsInput {
  readonly breaker?: Partially<BreakerSettings> | undefined
  readonly history?: Partially<HistorySettings> | undefined
  readonly slowMs?: number | undefined
  readonly probe?:
    ({ readonly kind: 'http'; readonly url: string } & Partially<HttpProbeSettings>) | undefined
}

/** What one health check found. */
export interface ProbeResult {
  readonly status: HealthStatus
  /** In words, for an operator: `HTTP 503`, `no answer within 2000 ms`. */
  readonly detail: string
  readonly elapsedMs: number
}
