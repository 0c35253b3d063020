import { redactText } from '../../model/redact.js'
import { SYSTEM_TIME } from '../../client/shared/time.js'
import type { Timers } from '../../model/ports/time.js'
import { toText } from '../../model/text.js'

/** How a piece of the worker's own code ended. */
export type WorkOutcome<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'timeout' }

/**
 * Runs `work` for at most `timeoutMs`: its signal is then aborted, and is not waited for any more. What it answers or
 * throws later is dropped. An endless loop cannot be left: the timer never gets the thread.
 */
export function settleWithin<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => T | Promise<T>,
  timers: Timers = SYSTEM_TIME.timers,
): Promise<WorkOutcome<T>> {
  return new Promise((resolve) => {
    const controller = new AbortController()
    const end = (outcome: WorkOutcome<T>) => {
      timer.clear()
      resolve(outcome)
    }
    const timer = timers.set(timeoutMs, () => {
      end({ kind: 'timeout' })
      controller.abort()
    })
    const run = async () => work(controller.signal)
    run().then(
      (value) => end({ kind: 'answered', value }),
      (error: unknown) => end({ kind: 'threw', error }),
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
