import { meansLost } from '../../model/errors.js'
import type { StoreWatch } from './store-watch.js'

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
