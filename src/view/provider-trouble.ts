import { isBusbarError } from '../index.js'

/** Whether an error concerns one provider alone: its stored state cannot be read, or is refused to this user. */
export function isProviderTrouble(error: unknown): error is Error {
  if (isBusbarError(error, 'redis_unsupported')) return true
  if (!isBusbarError(error, 'redis_unavailable')) return false
  return 'failure' in error && error.failure === 'permanent' && !('lockedOut' in error && error.lockedOut)
}
