import { meansLost } from '../model/errors.js'
import type { StoreWatch } from './store-watch.js'

/** Waits for `work`, but no longer than `timeoutMs`. */
export async function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const ATTEMPTS = 3

/**
 * Tries again when the store did not answer in time, after at most `waitMs`: for what may be done twice, and must not
 * fail on a busy start.
 */
export async function patiently<T>(watch: StoreWatch, waitMs: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !meansLost(error)) throw error
      await watch.back(waitMs)
    }
  }
}
