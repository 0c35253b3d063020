import {
  CallRefusedError,
  GroupExhaustedError,
  isBusbarError,
  type GroupAttempt,
} from '../../model/errors.js'
import { REFUSAL_CODES, type RefusalCode } from '../../model/words.js'
import { lastResorts } from '../../rules/group-order.js'
import type { Judgement } from '../call/classify.js'
import type { CallOutcome, GuardedMember } from '../call/execute.js'
import type { ProcessContext } from '../context.js'
import { onRejection } from '../shared/log.js'
import { countFailover, passedOver } from './failovers.js'
import type { GroupMembers } from './group-members.js'
import type { GroupExecuteOptions, GroupFailure } from './group-options.js'
import type { Member, MemberView, Refusal } from './member.js'

/** The parts of a group that a call needs. */
export interface GroupParts {
  readonly context: ProcessContext
  readonly members: GroupMembers
  readonly minAvailable: number
}

/** How an attempt ended: with the answer of the caller, or so that the next member is tried. */
type Attempted<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  | { readonly kind: 'next' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const NEXT = { kind: 'next' } as const

/** Failures after which another member may do better. */
const FAILOVER_ON: ReadonlySet<GroupFailure> = new Set([
  'refusal',
  'unhealthy',
  'timeout',
  'throttled',
  'terminated',
])

/**
 * One call of a group: it tries member after member, in the order of the group, until one of them answers. Each is tried
 * once. The order is found once, when the first attempt did not succeed on the hot path or there was none; a member that
 * changes meanwhile is admitted or refused by its own circuit.
 */
export class GroupCall<T> {
  readonly #parts: GroupParts
  readonly #fn: GuardedMember<T>
  readonly #options: GroupExecuteOptions
  readonly #keyHash: number | undefined
  readonly #attempts: GroupAttempt[] = []
  readonly #reasons: string[] = []
  /** Calls of the function. */
  #calls = 0
  /** The member that it began with, before the order was found. */
  #first: Member | undefined
  /** The member that was tried last, in vain so far; before the first attempt, one that refuses and comes first. */
  #last: Member | undefined

  constructor(
    parts: GroupParts,
    fn: GuardedMember<T>,
    options: GroupExecuteOptions,
    keyHash: number | undefined,
  ) {
    this.#parts = parts
    this.#fn = fn
    this.#options = options
    this.#keyHash = keyHash
  }

  /** @throws GroupExhaustedError; `signal.reason`; what the function throws, where no other member is to be tried */
  async run(): Promise<T> {
    const { members } = this.#parts
    this.#options.signal?.throwIfAborted()
    if (!members.settled) await members.read()
    const first = members.first(this.#keyHash)
    if (first !== undefined) {
      this.#first = first
      const attempted = await this.#try(first, false)
      if (attempted.kind === 'answered') return attempted.answer
      // Its circuit has changed since: it takes its place in the order.
      if (attempted.kind === 'refused') this.#first = undefined
    }
    return this.#tryAll()
  }

  /** The hot path began with `first`, and threw. */
  async threw(first: Member, error: unknown, judgement: Judgement): Promise<T> {
    this.#begin(first)
    if (!this.#goesOn(first.id, judgement.outcome, error)) throw error
    this.#note({ id: first.id, error }, judgement.detail ?? judgement.outcome)
    return this.#tryAll()
  }

  /** The same, of an answer that was judged. */
  async returned(first: Member, result: T, judgement: Judgement): Promise<T> {
    this.#begin(first)
    if (!this.#goesOn(first.id, judgement.outcome, undefined)) return result
    this.#passOver(first.id, result, judgement)
    return this.#tryAll()
  }

  #begin(first: Member): void {
    this.#first = first
    this.#last = first
    this.#calls = 1
  }

  async #tryAll(): Promise<T> {
    const { members, minAvailable } = this.#parts
    const order = members.order(this.#keyHash)
    const isLeft = ({ member }: MemberView) => member !== this.#first
    const refused = order.refused.filter(isLeft)
    let available = this.#calls
    for (const view of order.admissible.filter(isLeft)) {
      available += 1
      if (this.#spent) continue
      this.#last ??= passedOver(order.refused, view.member)
      const attempted = await this.#try(view.member, false)
      if (attempted.kind === 'answered') return attempted.answer
      if (attempted.kind === 'next') continue
      available -= 1
      // A draw of the ramp is not seen in the view.
      refused.push({ ...view.member.view(), refusal: attempted.refusal })
    }
    const forced = lastResorts(refused, available, minAvailable)
    for (const view of refused) {
      if (this.#spent || !forced.includes(view)) {
        this.#noteRefusal(view)
        continue
      }
      const attempted = await this.#try(view.member, true)
      if (attempted.kind === 'answered') return attempted.answer
    }
    throw this.#exhausted()
  }

  get #spent(): boolean {
    return this.#calls >= (this.#options.maxAttempts ?? Infinity)
  }

  /** `forced`: the member is a last resort, and its circuit is not asked. */
  async #try(member: Member, forced: boolean): Promise<Attempted<T>> {
    const { id } = member
    const { signal, timeoutMs } = this.#options
    signal?.throwIfAborted()
    const ended: CallOutcome = {}
    const options = { signal, timeoutMs, attempt: this.#calls + 1 }
    try {
      const answer = await member.core.caller.member(this.#fn, options, ended, forced)
      this.#called(member)
      const { judgement } = ended
      if (judgement === undefined || !this.#goesOn(id, judgement.outcome, undefined))
        return { kind: 'answered', answer }
      this.#passOver(id, answer, judgement)
      return NEXT
    } catch (error) {
      const { judgement } = ended
      if (judgement === undefined) return this.#refusedBy(member, error)
      this.#called(member)
      if (!this.#goesOn(id, judgement.outcome, error)) throw error
      this.#note({ id, error }, judgement.detail ?? judgement.outcome)
      return NEXT
    }
  }

  #called(member: Member): void {
    this.#calls += 1
    countFailover(this.#parts, this.#last, member)
    this.#last = member
  }

  /** The call never began: the circuit refused it, or the provider was removed. */
  #refusedBy(member: Member, error: unknown): Attempted<T> {
    const { id } = member
    this.#last = member
    const code = refusalIn(error)
    if (code === undefined || !this.#goesOn(id, 'refusal', error)) throw error
    if (code === 'provider_removed' || code === 'provider_unknown') {
      this.#note({ id, code }, code)
      return NEXT
    }
    const retryAfterMs = error instanceof CallRefusedError ? error.retryAfterMs : null
    return { kind: 'refused', refusal: { code, reason: String(error), retryAfterMs } }
  }

  #noteRefusal({ id, refusal }: MemberView): void {
    const code = refusal?.code ?? 'no_trial_free'
    this.#note({ id, code }, code)
  }

  #note(attempt: GroupAttempt, why: string): void {
    this.#attempts.push(attempt)
    this.#reasons.push(`${attempt.id} (${why})`)
  }

  /** An answer that the caller does not get; a body that is still to be read would hold its connection. */
  #passOver(id: string, answer: unknown, { outcome, detail }: Judgement): void {
    this.#note({ id, code: outcome }, detail ?? outcome)
    try {
      const body: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'body') : null
      if (body instanceof ReadableStream && !body.locked) onRejection(body.cancel(), () => undefined)
    } catch {
      // An object with getters that throw has no body to be cancelled.
    }
  }

  #goesOn(id: string, outcome: GroupFailure, error: unknown): boolean {
    const { signal, failoverOn } = this.#options
    if (outcome === 'healthy' || outcome === 'degraded' || signal?.aborted === true) return false
    if (typeof failoverOn !== 'function') return failoverOn?.includes(outcome) ?? FAILOVER_ON.has(outcome)
    const { counters, log } = this.#parts.context
    try {
      const attempt = outcome === 'refusal' ? this.#calls + 1 : this.#calls
      return failoverOn(error, { id, outcome, attempt }) ?? FAILOVER_ON.has(outcome)
    } catch (failure) {
      counters.callbacksFailed += 1
      log.error({ err: failure, provider: id }, 'failoverOn failed')
      return FAILOVER_ON.has(outcome)
    }
  }

  #exhausted(): GroupExhaustedError {
    const { members } = this.#parts
    return new GroupExhaustedError(members.label, this.#attempts, this.#reasons, earliestOf(members.all()))
  }
}

/** ms until the first of those that refuse admits calls again; null where no deadline is known. */
export function earliestOf(members: readonly Member[]): number | null {
  const waits = members.flatMap((member) => member.view().refusal?.retryAfterMs ?? [])
  return waits.length === 0 ? null : Math.min(...waits)
}

type NotCalled = RefusalCode | 'provider_removed' | 'provider_unknown'
const NOT_CALLED: readonly NotCalled[] = [...REFUSAL_CODES, 'provider_removed', 'provider_unknown']

/** The code of an error that says that a member takes no calls; undefined for any other error. */
export const refusalIn = (error: unknown): NotCalled | undefined =>
  isBusbarError(error) ? NOT_CALLED.find((code) => code === error.code) : undefined
