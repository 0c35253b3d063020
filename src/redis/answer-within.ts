import { withTimeout } from '../model/with-timeout.js'

/** The answer to a command. @throws Error when none came within `timeoutMs` */
export const answerWithin = <T>(answer: Promise<T>, timeoutMs: number): Promise<T> =>
  withTimeout(answer, timeoutMs, () => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  })
