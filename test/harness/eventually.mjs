// The one way in which tests and acceptance runs wait for something that another process, or Redis, does in its own time.
import { setTimeout as sleep } from 'node:timers/promises'

/** Generous: it costs nothing when all works, and a busy machine is no failure. Below the time limit of a test. */
const TIMEOUT_MS = 20_000
const EVERY_MS = 20

/**
 * Waits until `condition` holds: until it answers something else than false, and does not throw. So it is a question
 * (`() => calls > 3`) or an assertion (`() => expect(calls).toEqual([1, 2])`).
 *
 * Rejects after `timeoutMs` (20 000) with what was waited for, and what the last look found. `limits` as a string is
 * `{ what }`; without one the message quotes the condition itself.
 */
export async function eventually(condition, limits = {}) {
  const {
    what,
    timeoutMs = TIMEOUT_MS,
    everyMs = EVERY_MS,
  } = typeof limits === 'string' ? { what: limits } : limits
  const deadline = performance.now() + timeoutMs
  for (;;) {
    // Asked before the look: after a pause of the whole machine there is one more look before it counts as too late.
    const last = performance.now() >= deadline
    const found = await look(condition, Math.max(deadline - performance.now(), EVERY_MS))
    if (found === undefined) return
    if (last) {
      const waitedFor = what ?? String(condition).replace(/\s+/g, ' ')
      throw new Error(`not within ${timeoutMs} ms: ${waitedFor}${found.problem}`, { cause: found.error })
    }
    await sleep(everyMs)
  }
}

/** Whether `condition` holds within `timeoutMs`, for those who go on either way. */
export async function holdsWithin(condition, timeoutMs) {
  return eventually(condition, { timeoutMs }).then(
    () => true,
    () => false,
  )
}

/** Undefined when it holds, else why not. A condition that gives no answer does not hold up the message about it. */
async function look(condition, withDeadlineMs) {
  const giveUp = new AbortController()
  const silence = sleep(withDeadlineMs, { problem: ' (the last look got no answer)' }, giveUp)
  silence.catch(() => undefined) // given up, because the condition answered
  try {
    const answer = await Promise.race([ask(condition), silence])
    return answer
  } finally {
    giveUp.abort()
  }
}

async function ask(condition) {
  try {
    return (await condition()) === false ? { problem: '' } : undefined
  } catch (error) {
    return { problem: `: ${error instanceof Error ? error.message : String(error)}`, error }
  }
}
