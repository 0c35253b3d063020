/** The words of Busbar: the same strings in TypeScript, Lua, JSON, logs and docs. */

/** How one check or call ended, as it enters the history. */
export const HEALTH_STATUSES = ['healthy', 'degraded', 'unhealthy', 'timeout', 'terminated'] as const
export type HealthStatus = (typeof HEALTH_STATUSES)[number]

/** A word that a later version added: it is kept, and handed on as it is. */
export type LaterWord = string & Record<never, never>

/**
 * How one call ended. With `client_error` the provider answered, and the fault is the caller's; `ignored` and `throttled`
 * say nothing about health. None of these three enters the history.
 */
export const OUTCOMES = [...HEALTH_STATUSES, 'client_error', 'ignored', 'throttled'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** An outcome that the circuit counts, as a success or as a failure. */
export type CircuitOutcome = HealthStatus | 'client_error'

export const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const
export type CircuitState = (typeof CIRCUIT_STATES)[number]

/** Statements of an operator or a program that override observation. */
export const MARKS = ['unhealthy', 'degraded', 'terminated'] as const
export type Mark = (typeof MARKS)[number]

/** Why an admission was refused. */
export const REFUSAL_CODES = [
  'circuit_open',
  'no_trial_free',
  'awaiting_probe',
  'marked_unhealthy',
  'marked_terminated',
  'throttled',
  'recovering',
  'redis_down',
  'worker_suspected',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** Where a decision or a snapshot came from. */
export const SOURCES = ['redis', 'cache', 'fallback', 'local'] as const
export type Source = (typeof SOURCES)[number]

/** The origin of an outcome: a user's call, or a scheduled health check. */
export const ORIGINS = ['call', 'probe'] as const
export type Origin = (typeof ORIGINS)[number]

export const isHealthStatus = (value: unknown): value is HealthStatus =>
  (HEALTH_STATUSES as readonly unknown[]).includes(value)

export const isCircuitOutcome = (outcome: Outcome): outcome is CircuitOutcome =>
  outcome === 'client_error' || isHealthStatus(outcome)

/** With `healthy`, `degraded` and `client_error` the provider answered; the three others are failures. */
export const isSuccess = (outcome: CircuitOutcome): boolean =>
  outcome === 'healthy' || outcome === 'degraded' || outcome === 'client_error'

/** The schema of the keys in Redis. Another one is another major version. */
export const KEY_SCHEMA = '2'
