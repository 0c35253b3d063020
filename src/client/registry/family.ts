import type { SettingsInput } from '../../model/settings.js'
import { isProviderTrouble } from '../../model/errors.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import type { Timer } from '../../model/ports/time.js'
import type { ProcessContext } from '../context.js'
import type { Provider } from '../provider.js'
import { SEEN_BY_FAMILY } from '../sync/use.js'
import { familyId } from './family-id.js'
import type { ProviderOptions } from './provider-options.js'
import type { Held, ProviderRegistry } from './provider-registry.js'

/** How many handles one process keeps of a family, and for how long Redis keeps an idle member. */
export interface FamilyLimits {
  /** Handles that this process keeps; beyond, the one that was not asked for the longest is let go. 1 to 1 000 000, default 1 000. */
  readonly maxHandles?: number | undefined
  /** How long a member that nobody uses stays in Redis, ms; up to an eighth longer. 1 s to 365 days, default 7 days. */
  readonly idleExpireMs?: number | undefined
}

export interface FamilyOptions extends ProviderOptions, FamilyLimits {}

/** Settings of the members; the limits of the family may stand beside them. */
export type FamilySettings = SettingsInput & FamilyLimits

/** What members are registered with; checked. */
export interface FamilySpec {
  readonly settings: SettingsInput | undefined
  readonly options: ProviderOptions
  readonly maxHandles: number
  readonly idleExpireMs: number
}

export interface FamilyParts {
  readonly context: ProcessContext
  readonly registry: ProviderRegistry
  readonly register: (
    id: string,
    settings: SettingsInput | undefined,
    options: ProviderOptions,
  ) => Promise<Provider>
}

/** A member that this process has a handle of. */
interface Member {
  readonly held: Held
  /** Whether the handle is there for the family alone: then it goes with it. */
  readonly own: boolean
  /** When it was last seen to be used. On this process's clock, as is the next. */
  usedAt: number
  /** When the store was last told that it is used; -Infinity: not yet. */
  touchedAt: number
}

/**
 * Providers of one kind, one for each tenant, host or the like, of which there may be any number: each process keeps handles of
 * those that it used last, and a member that no process uses leaves Redis.
 *
 * A use is a `get`, or a call of a handle that was got. The store is told of it once in an eighth of `idleExpireMs`, so
 * members cost next to nothing. Every process with a family looks for idle members, a few times in that period, and the store
 * decides: `lua/expire.lua`.
 */
export class Family {
  readonly name: string
  readonly #parts: FamilyParts
  #spec: FamilySpec
  /** By id, the longest unused first. */
  readonly #members = new Map<string, Member>()
  /** The last of them, if it is known: one that is used again and again is not moved. */
  #last: Member | undefined
  readonly #registering = new Map<string, Promise<Provider>>()
  #timer: Timer | undefined
  #everyMs = 0

  /** Comes from `busbar.family()`. */
  constructor(name: string, spec: FamilySpec, parts: FamilyParts) {
    this.name = name
    this.#spec = spec
    this.#parts = parts
    this.configure(spec)
  }

  /** What members that are registered from now on get. */
  configure(spec: FamilySpec): void {
    this.#spec = spec
    const everyMs = Math.min(MAX_LOOK_MS, touchMs(spec))
    // A family that is given settings at every call would never look: its members would expire while they are used.
    if (everyMs === this.#everyMs) return
    this.#everyMs = everyMs
    this.#timer?.clear()
    this.#timer = this.#parts.context.timers.every(everyMs, () => void this.#look()).unref()
  }

  /** Handles that this process keeps of it now. */
  get size(): number {
    return this.#members.size
  }

  /** The id of the member of a key. @throws ArgumentError */
  idOf(key: string): string {
    return familyId(this.name, key)
  }

  /**
   * The member of a key, registered at its first use. Ask for it at every call: a handle that is kept works on after the family
   * let it go, but then asks Redis for each admission, and once its provider left Redis it answers `ProviderRemovedError`.
   * @throws ArgumentError; what `busbar.provider` throws
   */
  async get(key: string): Promise<Provider> {
    const id = this.idOf(key)
    const known = this.#use(id)
    if (known !== undefined) return known
    const registering = this.#registering.get(id) ?? this.#register(id)
    this.#registering.set(id, registering)
    return registering
  }

  /**
   * The same without a wait, of a member that this process has a handle of; undefined where `get` would register it.
   * @throws ArgumentError
   */
  known(key: string): Provider | undefined {
    return this.#use(this.idOf(key))
  }

  #use(id: string): Provider | undefined {
    const member = this.#members.get(id)
    if (member === undefined || !this.#isHeld(id, member)) return undefined
    if (member !== this.#last) {
      // To the end: it was used last.
      this.#members.delete(id)
      this.#members.set(id, member)
      this.#last = member
    }
    member.held.core.session.used |= SEEN_BY_FAMILY
    return member.held.handle
  }

  async #register(id: string): Promise<Provider> {
    const { registry, register } = this.#parts
    try {
      const { settings, options } = this.#spec
      const own = registry.get(id) === undefined
      const handle = await register(id, settings, options)
      const held = registry.get(id)
      // It was removed this very moment: its handle says so.
      if (held === undefined) return handle
      const member = { held, own, usedAt: this.#now, touchedAt: -Infinity }
      // To the end, also where a handle that somebody removed still has its place.
      this.#members.delete(id)
      this.#members.set(id, member)
      this.#last = member
      await this.#touch(member)
      this.#evict()
      return handle
    } finally {
      this.#registering.delete(id)
    }
  }

  get #now(): number {
    return this.#parts.context.clock.now()
  }

  /** Whether nobody removed it. */
  #isHeld(id: string, { held }: Member): boolean {
    return this.#parts.registry.get(id) === held
  }

  /** Lets the longest unused go. Calls under way end as ever: they hold what they need. */
  #evict(): void {
    for (const [id, member] of this.#members) {
      if (this.#members.size <= this.#spec.maxHandles) return
      this.#letGo(id, member)
    }
  }

  #letGo(id: string, member: Member): void {
    this.#members.delete(id)
    if (member === this.#last) this.#last = undefined
    if (member.own && this.#isHeld(id, member)) this.#parts.registry.release(id)
  }

  /** Tells the store which members are used, lets idle ones go, and removes those that no process uses. */
  async #look(): Promise<void> {
    const { watch, log, counters, calls } = this.#parts.context
    if (calls.closing) this.#timer?.clear()
    if (watch.lost || calls.closing) return
    const now = this.#now
    const used: Member[] = []
    for (const [id, member] of [...this.#members]) {
      const { session } = member.held.core
      if (session.takeUsed(SEEN_BY_FAMILY)) member.usedAt = now
      const { usedAt, touchedAt } = member
      if (!this.#isHeld(id, member) || now - usedAt > this.#spec.idleExpireMs) this.#letGo(id, member)
      else if (usedAt > touchedAt && now - touchedAt >= touchMs(this.#spec)) used.push(member)
    }
    try {
      await forEachLimit(used, AT_ONCE, (member) => this.#touch(member))
      await this.#expire()
    } catch (error) {
      counters.connectionErrors += 1
      log.debug({ err: error, family: this.name }, 'could not look for idle members')
    }
  }

  /** Never rejects: another look comes, and until then nothing is removed. */
  async #touch(member: Member): Promise<void> {
    const { context } = this.#parts
    const { session } = member.held.core
    const knownVersion = session.cache.version
    const idleMs = this.#spec.idleExpireMs + touchMs(this.#spec)
    // Without a name of its own it may be a provider that somebody registered, to stay.
    const { revision, setBy } = session.settings
    const begin = this.name !== '' || (member.own && revision === 1 && setBy === context.worker)
    const request = { worker: context.worker, knownVersion, idleMs, begin }
    try {
      await session.run('touch', (store) => store.touch(session.id, request))
      member.touchedAt = this.#now
    } catch (error) {
      context.counters.connectionErrors += 1
      context.log.debug({ err: error, provider: session.id }, 'could not tell that a member is used')
    }
  }

  /** Members of any family: each says itself when it is idle. */
  async #expire(): Promise<void> {
    const { store, worker, log } = this.#parts.context
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const ids = await store.idleProviders(AT_ONCE)
      let removed = 0
      await forEachLimit(ids, AT_ONCE, async (id) => {
        try {
          const reply = await store.expire(id, { worker, knownVersion: 0 })
          if (reply.status !== 'ok' || reply.expired) removed += 1
        } catch (error) {
          if (!isProviderTrouble(error)) throw error
          log.debug({ err: error, provider: id }, 'could not remove an idle member')
        }
      })
      if (ids.length < AT_ONCE || removed === 0) return
    }
  }
}

/** The store is told of a use once in this time, ms; a member stays in Redis so much longer. */
const touchMs = ({ idleExpireMs }: FamilySpec): number => idleExpireMs / 8
const MAX_LOOK_MS = 60_000
const AT_ONCE = 64
/** Of one look: more waits for the next, so that no process is kept busy by what others left behind. */
const MAX_TURNS = 50
