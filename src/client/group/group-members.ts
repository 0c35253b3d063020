import type { Change } from '../../model/events.js'
import { drawOfKey, orderMembers, randomDraw, type Order } from '../../rules/group-order.js'
import type { ProcessContext } from '../context.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import { Member, type MemberCore, type MemberView } from './member.js'
import { OpenTier } from './open-tier.js'

/** The providers of this process, as the groups see them. */
export interface MemberSource {
  /** Those that this process has a handle of. */
  readonly held: () => Iterable<MemberCore>
  readonly get: (id: string) => MemberCore | undefined
  /** One that somebody registered. @throws RedisUnavailableError */
  readonly lookup: (id: string) => Promise<MemberCore | undefined>
}

/** The members that are meant: those whose settings name the group, or those with these ids. */
export type Membership = { readonly name: string } | { readonly ids: readonly string[] }

/**
 * The members of one group, as this process knows them. It trades a short delay for a round trip: the list is read from the
 * store when the group is opened, after each gap in the messages, and every 30 s while it is used. Between two reads the
 * messages of registrations, changes and removals keep it up to date, and calls read it from here.
 *
 * The settings of a provider decide whether it is a member; the list only says which providers to look at.
 */
export class GroupMembers {
  readonly label: string
  /** Empty where it is given by ids. */
  readonly name: string
  readonly #context: ProcessContext
  readonly #source: MemberSource
  readonly #membership: Membership
  readonly #known = new Map<string, Member>()
  #reading: Promise<void> | undefined
  /** How often a read was asked for. */
  #asked = 0
  #failing = false
  #tier: OpenTier | undefined
  /** Whether the list was read, or could not be: until then a call waits for it. */
  settled = false
  /** Whether a call used the group since the last periodic read. */
  used = false

  constructor(context: ProcessContext, source: MemberSource, membership: Membership) {
    this.#context = context
    this.#source = source
    this.#membership = membership
    this.name = 'name' in membership ? membership.name : ''
    this.label = 'name' in membership ? membership.name : membership.ids.join(', ')
    for (const core of source.held()) this.hold(core)
  }

  /** A handle of a provider was made here. */
  hold(core: MemberCore): void {
    if (!this.#has(core)) return
    this.#known.set(core.id, new Member(core))
    this.#tier = undefined
  }

  #has({ id, session }: MemberCore): boolean {
    if (session.removed) return false
    return 'name' in this.#membership
      ? session.settings.settings.group === this.#membership.name
      : this.#membership.ids.includes(id)
  }

  /** Those of now. */
  all(): readonly Member[] {
    return [...this.#known.values()].filter(({ core }) => this.#has(core))
  }

  /** Reads the list. Never rejects: a read that fails is logged, and tried again. */
  read(): Promise<void> {
    this.#asked += 1
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readAll(): Promise<void> {
    try {
      let asked: number
      do {
        asked = this.#asked
        const ids =
          'name' in this.#membership
            ? await this.#context.store.members(this.#membership.name)
            : this.#membership.ids
        await forEachLimit(ids, READS_AT_ONCE, (id) => this.#join(id))
      } while (asked !== this.#asked)
      this.#failing = false
    } catch (error) {
      this.#onFailure(error)
    }
    this.settled = true
  }

  #onFailure(error: unknown): void {
    const { log, counters, timers, calls } = this.#context
    if (calls.closing) return
    counters.connectionErrors += 1
    const fields = { err: error, group: this.label }
    const message = 'the members of a group could not be read: those known here serve, and it is tried again'
    if (this.#failing) log.debug(fields, message)
    else log.warn(fields, message)
    this.#failing = true
    const members = new WeakRef<GroupMembers>(this)
    timers.set(RETRY_MS, () => void members.deref()?.read()).unref()
  }

  /** Takes in a provider that may be a member, with the settings of now. */
  async #join(id: string): Promise<void> {
    const core = this.#source.get(id) ?? (await this.#source.lookup(id))
    if (core === undefined) return
    await core.session.currentSettings()
    if (!this.#known.has(id)) this.hold(core)
  }

  /** A change that the store announced. */
  change({ providerId: id, snapshot }: Change): void {
    const known = this.#known.get(id)
    if (snapshot === null) this.#known.delete(id)
    else if (known === undefined) {
      const meant =
        'name' in this.#membership
          ? snapshot.group === this.#membership.name
          : this.#membership.ids.includes(id)
      if (meant) this.#refresh(id)
      return
    } else if (snapshot.settingsRevision !== known.core.session.settings.revision) this.#refresh(id)
    if (known !== undefined) this.#tier = undefined
  }

  #refresh(id: string): void {
    this.#join(id)
      .then(() => {
        const known = this.#known.get(id)
        if (known !== undefined && !this.#has(known.core)) this.#known.delete(id)
        this.#tier = undefined
      })
      .catch((error: unknown) => this.#onFailure(error))
  }

  /** The members in the order in which a call tries them. `keyHash`: of its key; undefined: at random. */
  order(keyHash: number | undefined): Order<MemberView> {
    this.used = true
    const views = this.all().map((member) => member.view())
    for (const { member, share, admissible } of views) if (admissible && share < 1) this.#readAgain(member)
    return orderMembers(views, ({ member }, what) =>
      keyHash === undefined
        ? randomDraw()
        : drawOfKey(what === 'place' ? keyHash : keyHash ^ OF_A_RAMP, member.hash),
    )
  }

  #newTier(): OpenTier | undefined {
    const members = this.all()
    for (const member of members)
      if (member.core.caller.gate.free && member.shareOf(member.core.session.cache.held) < 1)
        this.#readAgain(member)
    return OpenTier.of(members, this.#context.clock)
  }

  #readAgain(member: Member): void {
    const { clock, log, watch } = this.#context
    if (watch.lost) return
    member.readAgain(clock.now()).catch((error: unknown) => {
      log.debug({ err: error, provider: member.id }, 'could not read a member of a group again')
    })
  }

  /** The first of that order, where nothing but a look at the closed circuits is needed; undefined: `order` says it. */
  first(keyHash: number | undefined): Member | undefined {
    this.used = true
    if (this.#tier?.holds !== true) this.#tier = this.settled ? this.#newTier() : undefined
    return this.#tier?.first(keyHash)
  }
}

/** The second draw of a key for a member does not follow from the first. */
const OF_A_RAMP = 0x5bd1e995

/** Providers looked up at once. */
const READS_AT_ONCE = 16
/** A read that failed is tried again after this. */
const RETRY_MS = 1_000
