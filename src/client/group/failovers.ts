import type { ProcessContext } from '../context.js'
import type { Member, MemberView } from './member.js'

/** Where calls of a group are counted. */
interface Counted {
  readonly context: ProcessContext
  readonly members: { readonly name: string }
}

/** For metrics, while they are on: a call went to `to`, which `from` did not answer or did not get. */
export function countFailover({ context, members }: Counted, from: Member | undefined, to: Member): void {
  const { meters } = context.observers
  if (meters === undefined || from === undefined || from === to) return
  meters.of(from.core.session).failovers.add(members.name, to.id)
}

/**
 * The first of those that refuse, if it comes before `to` whatever is drawn: then a call of `to` is one that it would have
 * had. Members of equal priority share the calls anyway. `refused`: in their order.
 */
export function passedOver([first]: readonly MemberView[], to: Member): Member | undefined {
  if (first === undefined || first.weight === 0) return undefined
  return to.weight === 0 || first.priority < to.priority ? first.member : undefined
}
