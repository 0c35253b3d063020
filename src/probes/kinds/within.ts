import { redactText } from '../../model/redact.js'
import { SYSTEM_TIME } from '../../client/shared/time.js'
import type { Timers } from '../../model/ports/time.js'
import { toText } from '../../model/text.js'

/** How a piece of the worker's own code ended. */
export type Settlement<T> =
  | { readonly how: 'answered'; readonly value: T }
  | { readonly how: 'threw'; readonly error: unknown }
  | { readonly how: 'late' }

/**
 * Runs `work` for at most `timeoutMs`: its signal is then aborted, and is not waited for any more. What it answers or
 * throws later is dropped. Code that never gives the thread back (an endless loop) cannot be left like that.
 */
export function settleWithin<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => T | Promise<T>,
  timers: Timers = SYSTEM_TIME.timers,
): Promise<Settlement<T>> {
  return new Promise((resolve) => {
    const controller = new AbortController()
    const end = (settlement: Settlement<T>) => {
      timer.clear()
      resolve(settlement)
    }
    const timer = timers.set(timeoutMs, () => {
      end({ how: 'late' })
      controller.abort()
    })
    const run = async () => work(controller.signal)
    run().then(
      (value) => end({ how: 'answered', value }),
      (error: unknown) => end({ how: 'threw', error }),
    )
  })
}

/** The message of whatever was thrown, in one line; asking for it may throw as well. */
export function messageOf(error: unknown): string {
  try {
    const message = error instanceof Error ? error.message : String(error)
    return toText(oneLine(redactText(message)), MAX_LENGTH) || 'an error without a message'
  } catch {
    return 'something that cannot be shown'
  }
}

const MAX_LENGTH = 160

/** Without line breaks and control characters, for logs, events and terminals. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()
