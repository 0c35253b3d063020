import { withTimeout } from '../model/timeout.js'

/** The answer to a command. @throws Error when none came within `timeoutMs` */
export const withDeadline = <T>(answer: Promise<T>, timeoutMs: number): Promise<T> =>
  withTimeout(answer, timeoutMs, () => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  })
