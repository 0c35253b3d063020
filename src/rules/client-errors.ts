import type { Run } from '../model/ports.js'

/**
 * Calls that the provider answered, and whose fault was the caller's: how many of the last window, and what the last one
 * saw. The same rules as `lua/lib/client_errors.lua`.
 *
 * Two counters instead of a list: those of the present stretch, which is one window long, and those of the stretch before
 * it. A reader takes of the latter the part that is still in the window, as if they had come evenly. Exact while all of
 * them came within one window.
 */
export interface ClientErrors {
  readonly count: number
  /** Those of the stretch before. */
  readonly before: number
  /** When the present stretch began, ms. */
  readonly sinceMs: number
  /** What the last one saw, such as `HTTP 401`. */
  readonly last: string
}

export const NO_CLIENT_ERRORS: ClientErrors = { count: 0, before: 0, sinceMs: 0, last: '' }

/** `run` is of client errors; one that is older than the window counts nowhere. */
export function noteClientErrors(
  errors: ClientErrors,
  run: Pick<Run, 'count' | 'detail' | 'ageMs'>,
  nowMs: number,
  windowMs: number,
): ClientErrors {
  if (run.ageMs > windowMs) return errors
  const { count, before, sinceMs } = stretchAt(errors, nowMs, windowMs)
  return { count: count + run.count, before, sinceMs, last: run.detail }
}

function stretchAt(errors: ClientErrors, nowMs: number, windowMs: number): ClientErrors {
  const oldMs = nowMs - errors.sinceMs
  if (oldMs > 2 * windowMs) return { ...NO_CLIENT_ERRORS, sinceMs: nowMs }
  if (oldMs <= windowMs) return errors
  return { ...errors, count: 0, before: errors.count, sinceMs: errors.sinceMs + windowMs }
}

/** How many are in the window at `nowMs`, and what the last of them saw. */
export function viewClientErrors(
  errors: ClientErrors,
  nowMs: number,
  windowMs: number,
): { readonly count: number; readonly last: string } {
  const { count, before, sinceMs, last } = stretchAt(errors, nowMs, windowMs)
  const still = Math.floor((before * (windowMs - (nowMs - sinceMs))) / windowMs)
  return count + still === 0 ? { count: 0, last: '' } : { count: count + still, last }
}
