import { isProviderTrouble } from '../../model/errors.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import type { KnownReply, SettingsReply } from '../../model/ports/store-replies.js'
import type { RegisterRequest } from '../../model/ports/store-requests.js'
import type { Settings } from '../../model/settings.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from '../sync/provider-session.js'

interface Pending {
  readonly settings: Settings
  readonly mode: RegisterRequest['mode']
}

/** Providers that the store could not register when they were to be: they work in this process, and join when it can. */
export class PendingRegistrations {
  readonly #context: ProcessContext
  readonly #sessions: Pick<ReadonlyMap<string, ProviderSession>, 'get'>
  readonly #pending = new Map<string, Pending>()

  constructor(context: ProcessContext, sessions: Pick<ReadonlyMap<string, ProviderSession>, 'get'>) {
    this.#context = context
    this.#sessions = sessions
  }

  /** Later settings replace earlier ones; none replace none. */
  add(id: string, pending: Pending): void {
    if (pending.mode === 'set' || !this.#pending.has(id)) this.#pending.set(id, pending)
  }

  /** What a handle lives by until the store has answered. */
  provisional(settings: Settings): KnownReply<SettingsReply> {
    const { worker, wallClock } = this.#context
    const registered = { settings, revision: 0, setBy: worker, setAt: 0, pinned: false, unread: [] }
    return { status: 'ok', nowMs: wallClock.now(), applied: 0, snapshot: null, events: [], ...registered }
  }

  /**
   * A provider that cannot be registered, in a store that serves the others, is cut off and joins when that is mended.
   * @throws RedisUnavailableError, CommandLateError; a provider that has not joined then is tried another time.
   */
  async registerAll(): Promise<void> {
    if (this.#pending.size === 0) return
    await this.#context.store.ensureEpoch()
    await forEachLimit([...this.#pending.keys()], REGISTERED_AT_ONCE, async (id) => {
      try {
        await this.register(id)
      } catch (error) {
        if (!isProviderTrouble(error)) throw error
        this.#sessions.get(id)?.refused(error, () => this.register(id))
      }
    })
  }

  /** One of them, if it has not joined meanwhile. */
  async register(id: string): Promise<void> {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    const { store, worker } = this.#context
    const epoch = await store.ensureEpoch()
    const session = this.#sessions.get(id)
    const knownVersion = session?.cache.version ?? 0
    const restore = session?.cache.read() ?? null
    const registered = await store.register(id, { worker, knownVersion, restore, ...pending })
    session?.adopt(epoch, registered)
    if (this.#pending.get(id) === pending) this.#pending.delete(id)
  }
}

const REGISTERED_AT_ONCE = 16
