import type { HealthStatus } from '../model/words.js'

/** A member of a group at one moment, as its place in the order depends on it. */
export interface Ranked {
  readonly id: string
  /** Members with the lowest number come first. */
  readonly priority: number
  /** Its share among the members of equal priority; 0: only a last resort. */
  readonly weight: number
  /** The part of its weight that its health leaves it, above 0 to 1. */
  readonly share: number
  /** The part of its calls that it gets while it recovers: 1 where no ramp lasts. `share` has it too. */
  readonly rampShare: number
  /** Whether a call would be admitted. */
  readonly admissible: boolean
  /** Whether a person refuses it by a mark: then it is no last resort either. */
  readonly marked: boolean
  /** Whether it asked for a pause: as a last resort it comes after those that did not. */
  readonly throttled: boolean
}

/** A degraded member gets this part of its weight: enough to see that it has recovered, too little to slow the group down. */
const DEGRADED_SHARE = 0.25

/** The part of its weight that a member gets by its health. `rampShare`: that of one that recovers, 1 when it has. */
export const shareOf = (health: HealthStatus, rampShare: number): number =>
  health === 'healthy' ? rampShare : DEGRADED_SHARE * rampShare

/**
 * The place of a member among those of equal priority: the lower, the earlier. With a random draw a member is first as
 * often as its weight says (Efraimidis and Spirakis). With a draw that follows from key and member it is rendezvous hashing:
 * a change of one member moves only its own keys. `draw`: above 0, at most 1.
 */
export const placeOf = (weight: number, draw: number): number => -Math.log(draw) / weight

/** Members in the order in which a call tries them. */
export interface Order<M> {
  /** Those that would be admitted. */
  readonly admissible: readonly M[]
  /** The others. */
  readonly refused: readonly M[]
}

/** A call draws twice for a member: for its place, and whether its ramp holds the call back. */
export type DrawOf<M> = (member: M, what: 'place' | 'ramp') => number

/**
 * Admissible first, weight 0 after the others, lowest priority first; then by draw. A member that recovers gets its share:
 * the rest goes to its equals, or to the members behind it where it has none. O(members x log members).
 */
export function orderMembers<M extends Ranked>(members: readonly M[], drawOf: DrawOf<M>): Order<M> {
  const placed = members.map((member) => {
    const { weight, share } = member
    return { member, place: placeOf((weight === 0 ? 1 : weight) * share, drawOf(member, 'place')) }
  })
  const sorted = placed
    .sort(
      (a, b) =>
        Number(a.member.weight === 0) - Number(b.member.weight === 0) ||
        a.member.priority - b.member.priority ||
        a.place - b.place,
    )
    .map(({ member }) => member)
  const admissible = sorted.filter((member) => member.admissible)
  return {
    admissible: admissible.every(({ rampShare }) => rampShare === 1)
      ? admissible
      : heldBackLast(admissible, drawOf),
    refused: sorted.filter((member) => !member.admissible),
  }
}

/** Weights give a member its share only beside one that takes the rest: where all equals recover, the call is held back. */
function heldBackLast<M extends Ranked>(admissible: readonly M[], drawOf: DrawOf<M>): readonly M[] {
  const isEqual = (a: M, b: M) => a.priority === b.priority && (a.weight === 0) === (b.weight === 0)
  const held = new Set(
    admissible.filter(
      (member) =>
        !admissible.some((other) => other.rampShare === 1 && isEqual(member, other)) &&
        drawOf(member, 'ramp') > member.rampShare,
    ),
  )
  return [...admissible.filter((member) => !held.has(member)), ...held]
}

/**
 * The members that stay admissible although they refuse, so that `minAvailable` of the group are: `available` are already.
 * `refused`: in their order. Those that did not ask for a pause come first; a mark by hand still refuses.
 */
export function lastResorts<M extends Ranked>(
  refused: readonly M[],
  available: number,
  minAvailable: number,
): readonly M[] {
  const missing = minAvailable - available
  if (missing <= 0) return []
  const possible = refused.filter(({ marked }) => !marked)
  const [waiting, others] = [
    possible.filter(({ throttled }) => throttled),
    possible.filter(({ throttled }) => !throttled),
  ]
  return [...others, ...waiting].slice(0, missing)
}

/** FNV-1a, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix(hash)
}

/** The finalizer of MurmurHash3: each bit of the input moves half of those of the output. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The draw of a key for a member, above 0 and below 1: the same in every process. */
export const drawOfKey = (keyHash: number, idHash: number): number =>
  (mix(keyHash ^ Math.imul(idHash, 0x9e3779b1)) + 0.5) / 2 ** 32

/** A random draw, above 0 and at most 1. */
export const randomDraw = (): number => 1 - Math.random()
