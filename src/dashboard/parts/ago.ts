import { formatDuration } from '../../view/format.js'

/**
 * `just now`, `4s ago`, `15s ago`, `2m ago`: whole seconds at first, then steps of 5 s and of a minute, so that a list of such
 * texts is not all written again every second. Rounded down.
 */
export function agoText(ms: number): string {
  if (ms < 1_000) return 'just now'
  const step = ms < 10_000 ? 1_000 : ms < 60_000 ? 5_000 : ms < 3_600_000 ? 60_000 : 1
  return `${formatDuration(Math.floor(ms / step) * step)} ago`
}
