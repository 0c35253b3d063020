import { checkArgument } from '../../config/check.js'
import { groupOptionsSchema, idSchema, idsSchema } from '../../config/options.js'
import type { Change } from '../../model/events.js'
import type { Timer } from '../../model/ports/time.js'
import type { ProcessContext } from '../context.js'
import { GroupMembers, type Membership, type MemberSource } from './group-members.js'
import { Group } from './group.js'
import type { GroupOptions } from './group-options.js'
import type { MemberCore } from './member.js'

/** The list of a group that is used is read again after this, for the case that a message was lost without a word. */
const READ_EVERY_MS = 30_000

/**
 * The groups that one process has opened: one list of members for each, as long as the user holds the group. A process
 * that opens none pays nothing.
 */
export class Groups {
  readonly #context: ProcessContext
  readonly #source: MemberSource
  readonly #open = new Map<string, WeakRef<GroupMembers>>()
  #timer: Timer | undefined

  constructor(context: ProcessContext, source: MemberSource) {
    this.#context = context
    this.#source = source
  }

  /** See `busbar.group()`. */
  open(group: string | readonly string[], options: GroupOptions): Group {
    const { minAvailable } = checkArgument(groupOptionsSchema, options, 'group')
    const membership: Membership =
      typeof group === 'string'
        ? { name: checkArgument(idSchema, group, 'group') }
        : { ids: checkArgument(idsSchema, group, 'group') }
    return new Group({ context: this.#context, members: this.#membersOf(membership), minAvailable })
  }

  #membersOf(membership: Membership): GroupMembers {
    // No id has a comma.
    const key = 'name' in membership ? membership.name : `${membership.ids.join(',')},`
    const known = this.#open.get(key)?.deref()
    if (known !== undefined) return known
    const members = new GroupMembers(this.#context, this.#source, membership)
    this.#open.set(key, new WeakRef(members))
    this.#timer ??= this.#context.timers.every(READ_EVERY_MS, () => this.#readUsed()).unref()
    void members.read()
    return members
  }

  *#live(): Iterable<GroupMembers> {
    for (const [key, reference] of this.#open) {
      const members = reference.deref()
      if (members === undefined) this.#open.delete(key)
      else yield members
    }
  }

  /** A handle of a provider was made here. */
  hold(core: MemberCore): void {
    for (const members of this.#live()) members.hold(core)
  }

  /** A change that the store announced. */
  change(change: Change): void {
    for (const members of this.#live()) members.change(change)
  }

  /** Messages may have been missed. */
  readAll(): void {
    for (const members of this.#live()) void members.read()
  }

  #readUsed(): void {
    for (const members of this.#live()) {
      if (!members.used) continue
      members.used = false
      void members.read()
    }
  }

  stop(): void {
    this.#timer?.clear()
  }
}
