import type { HealthStatus } from '../../model/words.js'
import { isMark } from '../../rules/blocks.js'
import { hashOf, shareOf, type Ranked } from '../../rules/group-order.js'
import { healthOf } from '../../rules/health.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import type { GateView } from '../admission/gate-view.js'
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

/** A member of a group as it stands at one moment. */
export interface MemberView extends Ranked {
  readonly member: Member
  readonly health: HealthStatus
  readonly refusal: GateView['refusal']
}

/** One provider as a member of a group, in one process. */
export class Member {
  readonly id: string
  readonly core: MemberCore
  /** Of its id, for rendezvous hashing. */
  readonly hash: number

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

  /** The part of its weight that it gets, where `snapshot` holds. */
  shareOf(snapshot: StoredSnapshot | undefined): number {
    return shareOf(this.#healthOf(snapshot), rampShare())
  }

  #healthOf(snapshot: StoredSnapshot | undefined): HealthStatus {
    if (snapshot === undefined) return 'healthy'
    return healthOf(snapshot, this.core.session.settings.settings.history.degradationThreshold)
  }

  /** As it stands now. Asks nothing of the store. */
  view(): MemberView {
    const { snapshot, refusal } = this.core.caller.view()
    return {
      member: this,
      id: this.id,
      priority: this.priority,
      weight: this.weight,
      share: this.shareOf(snapshot),
      health: this.#healthOf(snapshot),
      admissible: refusal === undefined,
      marked: refusal !== undefined && (isMark(refusal) || refusal.code === 'redis_down'),
      throttled: refusal?.code === 'throttled',
      refusal,
    }
  }
}

/** The share of its calls that a provider gets while it recovers: all of them. The one place where such a share enters. */
const rampShare = (): number => 1
