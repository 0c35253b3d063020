import { isProviderTrouble } from '../../model/errors.js'
import type { GroupAttempt } from '../../model/errors.js'
import type { HealthStatus, RefusalCode, Source } from '../../model/words.js'
import { groupHealthOf, type GroupHealth } from '../../rules/group-health.js'
import { hashOf, lastResorts } from '../../rules/group-order.js'
import type { Admitted, Decision } from '../admission/permit.js'
import { rejectLater, type Failover, type GuardedMember } from '../call/execute.js'
import { countFailover, passedOver } from './failovers.js'
import { earliestOf, GroupCall, refusalIn, type GroupParts } from './group-call.js'
import { checkAdmit, checkExecute, checkOrder } from './group-options.js'
import type { GroupAdmitOptions, GroupExecuteOptions, GroupOrderOptions } from './group-options.js'
import type { MemberView, Origin } from './member.js'

/** A member in the order of its group. */
export interface GroupMember {
  readonly id: string
  /** Whether a call of it would be admitted, as far as this process knows. In half-open only Redis can say. */
  readonly admissible: boolean
  readonly health: HealthStatus
  /** Whether it is admissible only because of `minAvailable`: its circuit refuses. */
  readonly lastResort: boolean
  /** Why its circuit refuses, in words; empty where it does not. */
  readonly reason: string
  /** ms until its circuit admits calls again; 0 where it does, null when no deadline is known. */
  readonly retryAfterMs: number | null
}

/** What the `admit` of a group answers: a value, not an exception. */
export type GroupDecision = GroupAdmitted | GroupLastResort | GroupRefused

export interface GroupAdmitted extends Admitted {
  /** The member that admitted the call. */
  readonly id: string
  readonly lastResort: false
}

/** The call may be made although the circuit of the member refuses. How it ended goes to `record()` of the provider. */
export interface GroupLastResort {
  readonly admitted: true
  readonly id: string
  readonly lastResort: true
  readonly permit?: undefined
  readonly source: Source
  /** Why the circuit of the member refuses. */
  readonly wouldRefuse: RefusalCode
}

export interface GroupRefused {
  readonly admitted: false
  readonly code: 'group_exhausted'
  /** The same in words, for a log. */
  readonly reason: string
  /** ms until the first member admits calls again; null when no deadline is known. */
  readonly retryAfterMs: number | null
  readonly attempts: readonly GroupAttempt[]
  readonly source: Source
}

/**
 * Several providers of which any can take a call. Comes from `busbar.group()`. What it knows it has from this process's
 * cache: no method asks Redis, but `members`, the first call after the group was opened, and the admission of a member
 * that is half-open.
 */
export class Group {
  /** Its name, or the ids of its members. */
  readonly name: string
  readonly #parts: GroupParts
  /** Of calls on the hot path, which allocates nothing before they fail. */
  readonly #failover: Failover<Origin>

  constructor(parts: GroupParts) {
    this.name = parts.members.label
    this.#parts = parts
    const callOf = <T>(fn: GuardedMember<T>, { keyHash }: Origin) =>
      new GroupCall(parts, fn, NO_OPTIONS, keyHash)
    this.#failover = {
      threw: (fn, from, error, judgement) => callOf(fn, from).threw(from.member, error, judgement),
      returned: (fn, from, result, judgement) => callOf(fn, from).returned(from.member, result, judgement),
    }
  }

  /** `ok`: every member is healthy and admits calls; `exhausted`: none admits a call; else `degraded`. */
  get health(): GroupHealth {
    return groupHealthOf(this.#parts.members.all().map((member) => member.view()))
  }

  /** Ids of the members, read from Redis; those known here where Redis does not answer. */
  async members(): Promise<readonly string[]> {
    await this.#parts.members.read()
    return this.#parts.members.all().map(({ id }) => id)
  }

  /**
   * The members as a call would try them now, those that refuse last. Empty for a group that has none, or whose members
   * were not read yet.
   * @throws ArgumentError
   */
  order(options: GroupOrderOptions = {}): GroupMember[] {
    checkOrder(options)
    const { admissible, refused } = this.#parts.members.order(keyHashOf(options))
    const forced = lastResorts(refused, admissible.length, this.#parts.minAvailable)
    return [
      ...admissible.map((view) => memberOf(view, false)),
      ...forced.map((view) => memberOf(view, true)),
      ...refused.filter((view) => !forced.includes(view)).map((view) => memberOf(view, false)),
    ]
  }

  /**
   * Whether a call may begin, and of which member. A refusal is a value, and says of each member why.
   * @throws ArgumentError, BusbarClosedError
   */
  async admit(options: GroupAdmitOptions = {}): Promise<GroupDecision> {
    const exclude = checkAdmit(options)
    const { members, minAvailable } = this.#parts
    if (!members.settled) await members.read()
    const order = members.order(keyHashOf(options))
    const refused = [...order.refused]
    let available = order.admissible.length
    const tried = [...exclude].at(-1)
    let last = members.all().find(({ id }) => id === tried)
    for (const view of order.admissible) {
      if (exclude.has(view.id)) continue
      last ??= passedOver(order.refused, view.member)
      const decision = await admitMember(view)
      if (decision?.admitted === true) {
        countFailover(this.#parts, last, view.member)
        return { ...decision, id: view.id, lastResort: false }
      }
      last = view.member
      available -= 1
      const now = view.member.view()
      // A draw of the ramp is not seen in the view.
      refused.push({ ...now, refusal: decision ?? now.refusal })
    }
    const forced = lastResorts(refused, available, minAvailable).find(({ id }) => !exclude.has(id))
    if (forced !== undefined) {
      const wouldRefuse = forced.refusal?.code ?? 'no_trial_free'
      return { admitted: true, id: forced.id, lastResort: true, source: 'cache', wouldRefuse }
    }
    return this.#refusal(refused.filter(({ id }) => !exclude.has(id)))
  }

  #refusal(refused: readonly MemberView[]): GroupRefused {
    const why = refused.map(({ id, refusal }) => `${id}: ${refusal?.reason ?? 'no trial is free'}`)
    const reason = `no member of group ${this.name} is left: ${why.join(', ') || 'it has none to try'}`
    const attempts = refused.map(
      ({ id, refusal }) => ({ id, code: refusal?.code ?? 'no_trial_free' }) as const,
    )
    const retryAfterMs = earliestOf(refused.map(({ member }) => member))
    return { admitted: false, code: 'group_exhausted', reason, retryAfterMs, attempts, source: 'cache' }
  }

  /**
   * Runs `fn` with one member after the other, until one of them answers. `fn` is given `id`, the `signal` of the attempt, and
   * `attempt`. It goes on after a refusal, and after a call that was judged `unhealthy`, `timeout`, `throttled` or
   * `terminated`; never after an ignored call or a client error, nor when the caller aborted.
   * @throws GroupExhaustedError, which has the reason of each member; whatever `fn` throws where no other member is to be
   *   tried; `signal.reason`; ArgumentError; BusbarClosedError.
   */
  execute<T>(fn: GuardedMember<T>, options?: GroupExecuteOptions): Promise<T> {
    if (typeof fn === 'function' && (options === undefined || isKeyAlone(options))) {
      const keyHash = options?.key === undefined ? undefined : hashOf(options.key)
      const first = this.#parts.members.first(keyHash)
      if (first?.core.caller.plain === true) {
        const from = keyHash === undefined ? first.from : { member: first, keyHash }
        return first.core.caller.memberPlain(fn, this.#failover, from)
      }
      return new GroupCall(this.#parts, fn, NO_OPTIONS, keyHash).run()
    }
    const given = options ?? NO_OPTIONS
    try {
      checkExecute(fn, given)
    } catch (error) {
      return rejectLater(error instanceof Error ? error : new Error(String(error)))
    }
    return new GroupCall(this.#parts, fn, given, keyHashOf(given)).run()
  }
}

const NO_OPTIONS: GroupExecuteOptions = Object.freeze({})

/** Nothing to check but the key. Anything else is left to the check of all options. */
function isKeyAlone(options: GroupExecuteOptions | null): options is { readonly key: string } {
  if (typeof options !== 'object' || options === null || typeof options.key !== 'string') return false
  for (const name in options) if (name !== 'key') return false
  return true
}

const keyHashOf = ({ key }: GroupOrderOptions): number | undefined =>
  key === undefined ? undefined : hashOf(key)

const memberOf = ({ id, admissible, health, refusal }: MemberView, lastResort: boolean): GroupMember => ({
  id,
  admissible: admissible || lastResort,
  health,
  lastResort,
  reason: refusal?.reason ?? '',
  retryAfterMs: refusal === undefined ? 0 : refusal.retryAfterMs,
})

/** Undefined where it was removed meanwhile. @throws BusbarClosedError */
async function admitMember({ member }: MemberView): Promise<Decision | undefined> {
  try {
    return await member.core.caller.admitMember()
  } catch (error) {
    if (refusalIn(error) !== undefined || isProviderTrouble(error)) return undefined
    throw error
  }
}
