import type { TripRule } from './rule.js'

/**
 * Opens after `failureThreshold` failures in a row, of calls or of probes. A threshold that was lowered below the run
 * opens at the next failure.
 */
export const consecutive: TripRule = ({ origin, bad, inARow, backing }, failures, { failureThreshold }) => {
  if (!backing.run || bad !== 'failed' || failureThreshold === null) return undefined
  const missing = Math.max(1, failureThreshold - inARow)
  if (failures < missing) return undefined
  const what = origin === 'probe' ? 'failed probes' : 'failures'
  return { at: missing, reason: `${inARow + missing} consecutive ${what}` }
}
