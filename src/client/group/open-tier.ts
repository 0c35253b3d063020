import type { SettingsReply } from '../../model/ports/store-replies.js'
import type { StoredSnapshot } from '../../model/snapshot.js'
import { drawOfKey, placeOf } from '../../rules/group-order.js'
import type { AdmissionGate } from '../admission/admission-gate.js'
import type { ProviderSession } from '../sync/provider-session.js'
import type { Clock } from '../../model/ports/time.js'
import type { Member } from './member.js'

/** For so long where a member has less than its full share, ms. */
const HOLDS_MS = 100

/** A member whose circuit is closed, and by what its weight was found. */
interface Open {
  readonly member: Member
  readonly gate: AdmissionGate
  readonly session: ProviderSession
  readonly weight: number
  readonly held: StoredSnapshot | undefined
  readonly settings: SettingsReply
}

/**
 * The members of lowest priority of a group, all of them closed and free: the hot path of a group draws one of them, and
 * looks at nothing else. It holds while no snapshot and no settings of them are replaced; a new one is made then.
 */
export class OpenTier {
  readonly #open: readonly Open[]
  readonly #sum: number
  readonly #clock: Clock
  /** A share that is not full changes with time. */
  readonly #until: number

  private constructor(open: readonly Open[], clock: Clock) {
    this.#open = open
    this.#clock = clock
    const full = open.every(({ member, weight }) => weight === member.weight)
    this.#until = full ? Infinity : clock.now() + HOLDS_MS
    this.#sum = open.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** Undefined where a member of lowest priority is not free, or there is none. O(members). */
  static of(members: readonly Member[], clock: Clock): OpenTier | undefined {
    const weighty = members.filter(({ weight }) => weight > 0)
    const priority = Math.min(...weighty.map((member) => member.priority))
    const lowest = weighty.filter((member) => member.priority === priority)
    if (lowest.length === 0 || lowest.some(({ core }) => !core.caller.gate.free)) return undefined
    return new OpenTier(
      lowest.map((member) => {
        const { session } = member.core
        const { gate } = member.core.caller
        const { settings } = session
        const { held } = session.cache
        return { member, gate, session, weight: member.weight * member.shareOf(held), held, settings }
      }),
      clock,
    )
  }

  /** Whether it is still as it was found. */
  get holds(): boolean {
    if (this.#until !== Infinity && this.#clock.now() >= this.#until) return false
    for (const { gate, session, held, settings } of this.#open)
      if (!gate.free || session.cache.held !== held || session.settings !== settings) return false
    return true
  }

  /** The first in the order of a group; see `placeOf`. */
  first(keyHash: number | undefined): Member | undefined {
    if (this.#open.length === 1) return this.#open[0]?.member
    return keyHash === undefined ? this.#drawn() : this.#nearest(keyHash)
  }

  #drawn(): Member | undefined {
    let left = Math.random() * this.#sum
    for (const { member, weight } of this.#open) {
      left -= weight
      if (left < 0) return member
    }
    return this.#open.at(-1)?.member
  }

  #nearest(keyHash: number): Member | undefined {
    let [nearest, least]: [Member | undefined, number] = [undefined, Infinity]
    for (const { member, weight } of this.#open) {
      const place = placeOf(weight, drawOfKey(keyHash, member.hash))
      if (place < least) [nearest, least] = [member, place]
    }
    return nearest
  }
}
