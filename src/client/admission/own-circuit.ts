import { isCircuitOutcome, isSuccess, type Outcome } from '../../model/words.js'
import { askAgainInMs, blocksOf, type Enforced } from '../../rules/blocks.js'
import type { OwnRun } from '../sync/own-run.js'
import type { ProviderSession } from '../sync/provider-session.js'
import { StoredPermit } from './permit.js'
import type { Admitted, Decision, Permit, Refused, SettleOptions, Settled } from './permit.js'

/**
 * Decides the calls of a process that doubts itself: its own circuit, which begins open. One call at a time is tried, when
 * its time has come; the others are refused at once. What blocks the whole fleet comes first. `goOn`: the usual decision.
 */
export function admitDoubtful(
  session: ProviderSession,
  goOn: () => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  const { own } = session
  const known = session.cache.readBlocking()
  const waitMs = known === undefined ? undefined : nextTryInMs(session, known)
  if (waitMs === undefined) return goOn()
  if (waitMs > 0 && session.settings.settings.breaker.enforce) return doubtRefusal(own, waitMs)
  if (waitMs === 0) own.beginTry()
  const decision = goOn()
  const watch = (answer: Decision): Decision => watched(own, answer, waitMs > 0)
  return decision instanceof Promise ? decision.then(watch) : watch(decision)
}

/**
 * When a process that doubts itself tries the next call, ms from now; 0: the next one that comes. Undefined where no doubt
 * decides: there is none, or the fleet's circuit is not closed or is blocked.
 */
export const nextTryInMs = ({ own }: ProviderSession, known: Enforced): number | undefined =>
  own.doubtful && known.state === 'closed' && blocksOf(known).length === 0 ? own.nextTryInMs : undefined

/** The refusal of the others. `waitMs`: until the next try. */
export const doubtRefusal = (own: OwnRun, waitMs: number): Refused => ({
  admitted: false,
  code: 'worker_suspected',
  reason: `calls of this process fail: ${own.failures} failures in a row`,
  retryAfterMs: own.trying ? askAgainInMs(waitMs) : waitMs,
  source: 'local',
})

function watched(own: OwnRun, answer: Decision, wouldRefuse: boolean): Decision {
  if (!answer.admitted) {
    own.endTry(undefined)
    return answer
  }
  const permit = new TriedPermit(own, answer.permit)
  const admitted: Admitted = { admitted: true, permit, source: answer.source }
  return wouldRefuse ? { ...admitted, wouldRefuse: answer.wouldRefuse ?? 'worker_suspected' } : admitted
}

/** The permit of a call that began after the doubt: how it ends says whether this process is well. */
export class TriedPermit implements Permit {
  readonly #own: OwnRun
  readonly #permit: Permit
  #ended = false

  constructor(own: OwnRun, permit: Permit) {
    this.#own = own
    this.#permit = permit
  }

  get generation(): number {
    return this.#permit.generation
  }

  get trial(): boolean {
    return this.#permit.trial
  }

  /** As that of `StoredPermit`. */
  set onSettled(listener: (outcome: Outcome) => void) {
    if (this.#permit instanceof StoredPermit) this.#permit.onSettled = listener
  }

  settle(outcome: Outcome, options?: SettleOptions): Promise<Settled> {
    // First it goes into the outbox, at once because of the doubt; the batch is made after the doubt has ended.
    const settled = this.#permit.settle(outcome, options)
    this.#end(isCircuitOutcome(outcome) ? isSuccess(outcome) : undefined)
    return settled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(undefined)
    await this.#permit[Symbol.asyncDispose]()
  }

  #end(succeeded: boolean | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#own.endTry(succeeded)
  }
}
