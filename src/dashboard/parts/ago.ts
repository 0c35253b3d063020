import { formatDuration } from '../../view/format.js'

/** `just now`, `4s ago`, `2m 10s ago`: the text of a second is one. */
export const agoText = (ms: number): string =>
  ms < 1_000 ? 'just now' : `${formatDuration(Math.floor(ms / 1_000) * 1_000)} ago`
