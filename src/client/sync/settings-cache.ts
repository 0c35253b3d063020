import type { SettingsReply } from '../../model/ports/store-replies.js'
import type { ProcessContext } from '../context.js'

interface SettingsCacheOptions {
  /** Of the provider. */
  readonly id: string
  /** The store did not answer with them. */
  readonly failed: (error: unknown) => void
}

/** The settings of one provider that this process last saw in force. */
export class SettingsCache {
  readonly #context: ProcessContext
  readonly #options: SettingsCacheOptions
  /** Problems that the log names already. */
  readonly #logged = new Set<string>()
  #held: SettingsReply

  constructor(context: ProcessContext, options: SettingsCacheOptions, settings: SettingsReply) {
    this.#context = context
    this.#options = options
    this.#held = settings
    this.accept(settings)
  }

  get held(): SettingsReply {
    return this.#held
  }

  /** Logs what of them this version cannot read: each problem once, however often the settings are read. */
  accept(settings: SettingsReply): void {
    this.#held = settings
    for (const { problem } of settings.unread) {
      if (problem === null || this.#logged.has(problem)) continue
      this.#logged.add(problem)
      this.#context.log.warn(
        { provider: this.#options.id, problem },
        'a stored setting cannot be read: its default holds here',
      )
    }
  }

  /** Read again where a snapshot of `revision` was judged by others. @throws RedisUnavailableError */
  async current(revision: number | undefined): Promise<SettingsReply> {
    if (revision !== this.#held.revision) {
      const stored = await this.#read()
      if (stored !== null) this.accept(stored)
    }
    return this.#held
  }

  async #read(): Promise<SettingsReply | null> {
    try {
      return await this.#context.store.settings(this.#options.id)
    } catch (error) {
      this.#options.failed(error)
      throw error
    }
  }
}
