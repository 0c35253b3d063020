import { show } from '../../config/show.js'
import { OUTCOMES } from '../../model/words.js'
import type { ProcessContext } from '../context.js'
import { onRejection } from '../shared/log.js'

/**
 * What is wrong with what a user's `classify` answered, in words; undefined when nothing is. `null` counts as nothing
 * said, as undefined does.
 */
export function verdictProblem(said: unknown): string | undefined {
  if (said === undefined || said === null) return undefined
  const expected = `expected undefined, one of ${OUTCOMES.join(', ')}, or { outcome, retryAfterMs, detail }`
  if (typeof said === 'object' && 'then' in said) return `classify answered a promise: ${expected}, at once`
  if (typeof said !== 'object')
    return isOutcome(said) ? undefined : `classify answered ${show(said)}: ${expected}`
  // No more of an object than its outcome: it may be the response itself, and hold what must not be logged.
  if (!('outcome' in said)) return `classify answered an object without outcome: ${expected}`
  if (!isOutcome(said.outcome)) return `classify answered outcome: ${show(said.outcome)}: ${expected}`
  const unknown = Object.keys(said).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined) return `classify answered an unknown field ${show(unknown)}: ${expected}`
  if ('retryAfterMs' in said && !isPause(said.retryAfterMs)) {
    return `classify answered retryAfterMs: ${show(said.retryAfterMs)}: expected a number, 0 or more`
  }
  if ('detail' in said && said.detail !== undefined && typeof said.detail !== 'string') {
    return `classify answered detail: ${show(said.detail)}: expected text`
  }
  return undefined
}

const FIELDS = ['outcome', 'retryAfterMs', 'detail']
const isOutcome = (value: unknown): boolean => (OUTCOMES as readonly unknown[]).includes(value)
const isPause = (value: unknown): boolean => value === undefined || (typeof value === 'number' && value >= 0)

/**
 * Reports verdicts of one provider's `classify` that make no sense. A call never fails because of one: what cannot be
 * used is left out. Each is counted, the first is logged.
 */
export class VerdictCheck {
  readonly #context: ProcessContext
  readonly #providerId: string
  #logged = false

  constructor(context: ProcessContext, providerId: string) {
    this.#context = context
    this.#providerId = providerId
  }

  /** Another `classify` was given: its first mistake is logged too. */
  renew(): void {
    this.#logged = false
  }

  check(said: unknown): void {
    const problem = verdictProblem(said)
    if (problem === undefined) return
    // A promise was reported; its rejection must not end the process.
    onRejection(said, () => undefined)
    this.#context.counters.callbacksFailed += 1
    if (this.#logged) return
    this.#logged = true
    this.#context.log.error({ provider: this.#providerId }, `${problem}; the call is judged without it`)
  }
}
