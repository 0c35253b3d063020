import type { HealthStatus } from '../model/words.js'

/** How a group of providers is seen to be. */
export const GROUP_HEALTHS = ['ok', 'degraded', 'exhausted'] as const
export type GroupHealth = (typeof GROUP_HEALTHS)[number]

/** The part of a member that the health of its group depends on. */
export interface MemberHealth {
  readonly health: HealthStatus
  /** Whether a call of it would be admitted. */
  readonly admissible: boolean
}

/**
 * `ok`: every member is healthy and admits calls. `exhausted`: none admits a call, or there is none. `degraded`: between
 * the two.
 */
export function groupHealthOf(members: readonly MemberHealth[]): GroupHealth {
  if (!members.some(({ admissible }) => admissible)) return 'exhausted'
  return members.every(({ health, admissible }) => admissible && health === 'healthy') ? 'ok' : 'degraded'
}
