import { meansLost } from '../../model/errors.js'
import type { Timer, Timers } from '../../model/ports/time.js'
import { SYSTEM_TIME } from '../shared/time.js'
import type { StoreWatch } from './store-watch.js'

/** Waits for `work`, but no longer than `timeoutMs`: then undefined. */
export async function withTimeout<T>(
  work: Promise<T>,
  timeoutMs: number,
  timers: Timers = SYSTEM_TIME.timers,
): Promise<T | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = timers.set(timeoutMs, () => resolve(undefined))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timer?.clear()
  }
}

const ATTEMPTS = 3

/**
 * Tries again when the store did not answer in time, after at most `waitMs`: for what may be done twice, and must not
 * fail on a busy start.
 */
export async function retryUnavailable<T>(
  watch: StoreWatch,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !meansLost(error)) throw error
      await watch.back(waitMs)
    }
  }
}
