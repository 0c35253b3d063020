import type { BusbarCore } from '../client/busbar-core.js'
import { forEachLimit } from '../client/shared/for-each-limit.js'
import { ageSnapshot, presentSnapshot } from '../client/sync/snapshot.js'
import { isProviderTrouble } from '../model/errors.js'
import type { SettingsReply } from '../model/ports/store-replies.js'
import type { StoredSnapshot } from '../model/snapshot.js'
import type { ProviderReading } from './provider-reading.js'

/** The fleet is read at most once in so long, ms, however often metrics are asked for. */
const READ_EVERY_MS = 5_000
const READS_AT_ONCE = 32

interface Read {
  readonly stored: StoredSnapshot
  readonly settings: SettingsReply
}

/** All providers of the fleet, read from the store: one script for each, and its settings when they have changed. */
export class FleetReading {
  readonly #core: BusbarCore
  #read = new Map<string, Read>()
  #readAt = -Infinity
  #reading: Promise<void> | undefined
  /** Those that could not be read at the last time: it is logged once. */
  #unreadable = new Set<string>()

  constructor(core: BusbarCore) {
    this.#core = core
  }

  /** While the store does not answer: as it was read last. */
  async providers(): Promise<readonly ProviderReading[]> {
    const { clock, watch } = this.#core.context
    if (clock.now() - this.#readAt >= READ_EVERY_MS && !watch.lost) {
      this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined))
      await this.#reading
    }
    const elapsedMs = clock.now() - this.#readAt
    return [...this.#read].map(([id, { stored, settings }]) => ({
      id,
      fresh: true,
      settings: settings.settings,
      snapshot: presentSnapshot(ageSnapshot(stored, elapsedMs), settings, 'redis', stored.at),
    }))
  }

  async #readAll(): Promise<void> {
    const { store, clock, log } = this.#core.context
    try {
      const found = new Map<string, Read>()
      const unreadable = new Set<string>()
      const began = clock.now()
      const summaries = await store.providers()
      await forEachLimit(summaries, READS_AT_ONCE, async ({ id }) => {
        const read = await this.#readOne(id).catch((error: unknown) => {
          this.#onTrouble(id, error)
          unreadable.add(id)
          return undefined
        })
        if (read !== undefined) found.set(id, read)
      })
      this.#read = found
      this.#unreadable = unreadable
      this.#readAt = began
    } catch (error) {
      log.warn({ err: error }, 'the fleet could not be read for its metrics')
    }
  }

  /** One that cannot be read has no series; all others have theirs. @throws any other error */
  #onTrouble(id: string, error: unknown): void {
    if (!isProviderTrouble(error)) throw error
    if (this.#unreadable.has(id)) return
    const message = 'a provider could not be read for the metrics: it has no series'
    this.#core.context.log.warn({ err: error, provider: id }, message)
  }

  /** Undefined for one that was removed meanwhile. */
  async #readOne(id: string): Promise<Read | undefined> {
    const { store } = this.#core.context
    const reply = await store.snapshot(id)
    if (reply.status !== 'ok' || reply.snapshot === null) return undefined
    const known = this.#read.get(id)?.settings
    const settings = known?.revision === reply.snapshot.settingsRevision ? known : await store.settings(id)
    return settings === null ? undefined : { stored: reply.snapshot, settings }
  }
}
