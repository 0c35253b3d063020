import type { HealthStatus } from '../../model/words.js'
import { isMark } from '../../rules/blocks.js'
import { hashOf, shareOf, type Ranked } from '../../rules/group-order.js'
import { healthOf, type Observed } from '../../rules/health.js'
import { rampShare } from '../../rules/ramp.js'
import type { Refused } from '../admission/permit.js'
import type { Caller } from '../call/caller.js'
import type { ProviderSession } from '../sync/provider-session.js'

/** The part of a provider that a group needs. */
export interface MemberCore {
  readonly id: string
  readonly session: ProviderSession
  readonly caller: Caller
}

const DEFAULT_PRIORITY = 0
const DEFAULT_WEIGHT = 1

/** The member that a call began with, and the hash of its key. */
export interface Origin {
  readonly member: Member
  readonly keyHash: number | undefined
}

export type Refusal = Pick<Refused, 'code' | 'reason' | 'retryAfterMs'>

/** A member of a group as it stands at one moment. */
export interface MemberView extends Ranked {
  readonly member: Member
  readonly health: HealthStatus
  /** Why a call would be refused; undefined where it would begin, or where only the store can say. */
  readonly refusal: Refusal | undefined
}

/** One provider as a member of a group, in one process. */
export class Member {
  readonly id: string
  readonly core: MemberCore
  /** Of its id, for rendezvous hashing. */
  readonly hash: number
  /** Where a call without a key begins that begins here. */
  readonly from: Origin = { member: this, keyHash: undefined }

  #readAt = 0

  constructor(core: MemberCore) {
    this.id = core.id
    this.core = core
    this.hash = hashOf(core.id)
  }

  get priority(): number {
    return this.core.session.settings.settings.priority ?? DEFAULT_PRIORITY
  }

  get weight(): number {
    return this.core.session.settings.settings.weight ?? DEFAULT_WEIGHT
  }

  /** The part of its weight that it gets. */
  shareOf(observed: Observed | undefined): number {
    return shareOf(this.#healthOf(observed), this.#rampShare())
  }

  /**
   * Successes of a closed circuit are not announced, so one that was seen to be degraded would look so until the next poll.
   * While a group wants it, its snapshot is read again once a second. `nowMs`: of this process's clock.
   */
  readAgain(nowMs: number): Promise<void> {
    if (nowMs - this.#readAt < READ_AGAIN_MS) return Promise.resolve()
    this.#readAt = nowMs
    return this.core.session.resync(this.core.session.cache.gap)
  }

  /** The share of its calls that it gets while it recovers: 1 where no ramp lasts. */
  #rampShare(): number {
    const { session } = this.core
    return rampShare(session.cache.rampLeftMs(), session.settings.settings.breaker.recoveryRampMs)
  }

  #healthOf(observed: Observed | undefined): HealthStatus {
    if (observed === undefined) return 'healthy'
    return healthOf(observed, this.core.session.settings.settings.history.degradationThreshold)
  }

  /** As it stands now. Asks nothing of the store. */
  view(): MemberView {
    const { observed, outlook } = this.core.caller.gate.view()
    const refusal = outlook.can === 'wait' ? outlook : undefined
    const health = this.#healthOf(observed)
    const rampShare = this.#rampShare()
    return {
      member: this,
      id: this.id,
      priority: this.priority,
      weight: this.weight,
      share: shareOf(health, rampShare),
      rampShare,
      health,
      admissible: refusal === undefined,
      marked: refusal !== undefined && (isMark(refusal) || refusal.code === 'redis_down'),
      throttled: refusal?.code === 'throttled',
      refusal,
    }
  }
}

/** The snapshot of a member with less than its full share is read again after this. */
const READ_AGAIN_MS = 1_000
