import type { HistoryEntry } from '../model/snapshot.js'
import type { Origin, Outcome } from '../model/words.js'

/** Situations that can be simulated. */
export const SCENARIOS = [
  'steady',
  'dead',
  'slow',
  'brownout',
  'one_bad_worker',
  'flapping',
  'cold_start',
  'bad_deploy',
  'restarting',
  'heal_with_bad_domain',
] as const
export type ScenarioName = (typeof SCENARIOS)[number]

/** A fleet and what happens to it. */
export interface ScenarioOptions {
  readonly scenario: ScenarioName
  /** Processes. 1 to 10 000, default 10. */
  readonly workers?: number | undefined
  /** Failure domains, to which the workers belong in turn. 1 to `workers`, default one for each worker. */
  readonly domains?: number | undefined
  /** Calls of one worker, 1/s. Above 0, at most 10 000, default 50. */
  readonly rate?: number | undefined
  /**
   * Share of the calls that fail by themselves, whatever else happens; in `brownout`, the share that the fault fails. 0 to 1,
   * default 0; 0.01 in `steady`, 0.05 in `cold_start`, 0.5 in `brownout`.
   */
  readonly errors?: number | undefined
  /** Mean latency of a good call, ms; it is distributed exponentially. Above 0, at most 600 000, default 50. */
  readonly latencyMs?: number | undefined
  /** How long the fault lasts, s; in `steady` and `cold_start`, the whole. Above 0, at most 86 400, default 120; 600 in `steady`. */
  readonly seconds?: number | undefined
  /** Same seed, same result. A whole number, default 1. */
  readonly seed?: number | undefined
}

/** How one call or probe ended, as `connect({ onOutcome })` gives it. */
export interface TraceCall {
  /** When it ended, ms since 1970 on any one clock. */
  readonly at: number
  readonly outcome: Outcome
  /** How long it took, ms; default 0. */
  readonly ms?: number | undefined
  /** What fails together with its worker; default the worker. */
  readonly domain?: string | undefined
  /** The process that made it; default `worker`. */
  readonly worker?: string | undefined
  /** Default `call`. */
  readonly origin?: Origin | undefined
}

/** Calls that were made, of all workers, in any order. */
export interface TraceSource {
  readonly trace: Iterable<TraceCall>
  readonly seed?: number | undefined
}

/** The history of a provider: it has neither workers nor the exact order, so it is judged by rates alone. */
export interface HistorySource {
  readonly history: readonly HistoryEntry[]
  readonly seed?: number | undefined
}

export type SimulationSource = ScenarioOptions | TraceSource | HistorySource
