/** The words of Busbar: the same strings in TypeScript, Lua, JSON, logs and docs. */

/** How one check or call ended, as it enters the history. */
export const HEALTH_STATUSES = ['healthy', 'degraded', 'unhealthy', 'timeout', 'terminated'] as const
export type HealthStatus = (typeof HEALTH_STATUSES)[number]

/** A word that a later version added: it is kept, and handed on as it is. */
export type LaterWord = string & Record<never, never>

/** How one call ended. `client_error`, `ignored` and `throttled` never enter the history. */
export const OUTCOMES = [...HEALTH_STATUSES, 'client_error', 'ignored', 'throttled'] as const
export type Outcome = (typeof OUTCOMES)[number]

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
  'redis_down',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** Where a decision or a snapshot came from. */
export const SOURCES = ['redis', 'cache', 'fallback'] as const
export type Source = (typeof SOURCES)[number]

/** Who produced an outcome: a user's call, or a scheduled health check. */
export const ORIGINS = ['call', 'probe'] as const
export type Origin = (typeof ORIGINS)[number]

export const isHealthStatus = (value: unknown): value is HealthStatus =>
  (HEALTH_STATUSES as readonly unknown[]).includes(value)

/** `healthy` and `degraded` answer; the three others are failures. */
export const isSuccess = (status: HealthStatus): boolean => status === 'healthy' || status === 'degraded'

/** The schema of the keys in Redis. Another one is another major version. */
export const KEY_SCHEMA = '2'
