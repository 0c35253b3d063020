import type { Admitted, Decision } from './permit.js'

/** Asks the store for one admission, or decides without it while it is lost. `timeoutMs`: of the call. */
export type AskAlone = (timeoutMs: number | undefined) => Promise<Decision>

/** One more permit like that of a call that was admitted without a lease. */
export type GrantLike = (first: Admitted) => Decision

/**
 * The admissions that one process begins in one turn, for one provider, asked of the store as one command.
 *
 * In strict mode every admission asks. A batch of outcomes that was applied wakes all callers that waited for it in the
 * same turn, and each of them asks for its next call: together they cost Redis and this process what one costs. It is the
 * group commit of the outbox, the other way. No admission waits for company: the command leaves in the turn that asked.
 *
 * The store decides after all of them asked, and nothing lies between them. So its answer is what each would have been told
 * by a command of its own, and only what is not to be shared is asked for again:
 *
 * - admitted without a lease: all are, each with a permit of its own.
 * - refused: all are. A refusal takes nothing.
 * - a lease: the first has it, and the others ask alone, because each lease has one token and there may be another. They wait
 *   for two commands. It is rare: a group is formed only while the circuit is closed, as far as the process knows.
 * - no answer: the fallback decided for the first. The others ask alone, and it decides for each of them on the spot.
 *
 * No admission joins a command that has left: the store may have decided it before the caller asked.
 */
export class GroupAdmission {
  readonly #ask: AskAlone
  readonly #grantLike: GrantLike
  /** The admission of the group that this turn forms; undefined once its command has left. */
  #first: Promise<Decision> | undefined

  constructor(ask: AskAlone, grantLike: GrantLike) {
    this.#ask = ask
    this.#grantLike = grantLike
  }

  admit(timeoutMs: number | undefined): Promise<Decision> {
    if (this.#first !== undefined) return this.#join(this.#first, timeoutMs)
    this.#first = this.#lead(timeoutMs)
    return this.#first
  }

  async #lead(timeoutMs: number | undefined): Promise<Decision> {
    // Admissions of this very turn come along.
    await Promise.resolve()
    // In the same step as the command is made: a later admission forms another group.
    this.#first = undefined
    return this.#ask(timeoutMs)
  }

  async #join(first: Promise<Decision>, timeoutMs: number | undefined): Promise<Decision> {
    const decision = await first
    if (decision.source !== 'redis') return this.#ask(timeoutMs)
    if (!decision.admitted) return decision
    return decision.permit.trial ? this.#ask(timeoutMs) : this.#grantLike(decision)
  }
}
