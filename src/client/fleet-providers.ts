import { checkArgument, checkSettings } from '../config/check.js'
import { controlSchema, idSchema, providerOptionsSchema } from '../config/options.js'
import { resolveSettings } from '../config/settings.js'
import { CommandLateError, UnknownProviderError } from '../model/errors.js'
import type { ByHand } from '../model/ports/store-requests.js'
import type { SettingsInput } from '../model/settings.js'
import type { BusbarCore } from './busbar-core.js'
import type { Provider } from './provider.js'
import type { ProviderOptions } from './registry/provider-options.js'
import { SettingsIntake } from './registry/settings-intake.js'
import { planSettings, type SettingsPlan } from './settings-plan.js'

/** The reason, and the one who asks. */
interface Asked {
  readonly reason?: string | undefined
  readonly actor?: string | undefined
}

/** The providers of the fleet as `busbar` registers, changes and removes them. See there for each method. */
export class FleetProviders {
  readonly #core: BusbarCore
  readonly #defaults: SettingsInput
  readonly #intake: SettingsIntake

  constructor(core: BusbarCore, defaults: SettingsInput) {
    this.#core = core
    this.#defaults = defaults
    this.#intake = new SettingsIntake(defaults)
  }

  /** Settings that are to be registered later. @throws SettingsError naming the path and the value */
  check(settings: SettingsInput | undefined): void {
    resolveSettings(settings, this.#defaults)
  }

  async register(
    id: string,
    settings: SettingsInput | undefined,
    options: ProviderOptions | undefined,
  ): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    if (options !== undefined) checkSettings(providerOptionsSchema, options)
    this.#core.assertOpen()
    const resolved = await this.#intake.resolve(settings)
    const mode = settings === undefined ? 'keep' : 'set'
    this.#core.assertOpen() // it may have been closed meanwhile
    const { core, handle } = await this.#core.registry.registerOrWait(id, resolved, mode, options)
    const { pinned, setBy } = core.stored
    if (settings !== undefined && pinned && planSettings(id, core.stored, resolved).changes.length > 0) {
      const fields = { provider: id, setBy }
      this.#core.context.log.info(fields, 'an operator applied other settings, which outrank these')
    }
    return handle
  }

  async apply(id: string, settings: SettingsInput, asked: Asked): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    const checked = checkArgument(controlSchema, asked, 'apply')
    const resolved = resolveSettings(settings, this.#defaults)
    this.#core.assertOpen()
    const request = { mode: 'set' as const, byHand: this.#byHand(id, checked) }
    return (await this.#core.registry.register(id, resolved, request)).handle
  }

  async release(id: string, asked: Asked): Promise<Provider> {
    checkArgument(idSchema, id, 'id')
    const checked = checkArgument(controlSchema, asked, 'release')
    this.#core.assertOpen()
    const request = { mode: 'release' as const, byHand: this.#byHand(id, checked) }
    return (await this.#core.registry.register(id, resolveSettings(), request)).handle
  }

  #byHand(id: string, { reason, actor = '' }: Asked & { readonly reason: string }): ByHand {
    const operator = actor === '' ? this.#core.context.worker : actor
    return { operator, reason, notAfterMs: this.#core.get(id)?.core.session.notAfterMs ?? null }
  }

  async plan(id: string, settings: SettingsInput): Promise<SettingsPlan> {
    checkArgument(idSchema, id, 'id')
    const resolved = resolveSettings(settings, this.#defaults)
    this.#core.assertOpen()
    return planSettings(id, await this.#core.context.store.settings(id), resolved)
  }

  async remove(id: string, options: Asked): Promise<void> {
    checkArgument(idSchema, id, 'id')
    const { reason, actor } = checkArgument(controlSchema, options, 'remove')
    this.#core.assertOpen()
    const { store, worker, commandTimeoutMs } = this.#core.context
    const session = this.#core.get(id)?.core.session
    let notAfterMs = session?.notAfterMs ?? Number.MAX_SAFE_INTEGER
    for (let attempt = 1; ; attempt += 1) {
      const asked = { worker, knownVersion: 0, reason, actor: actor ?? worker, notAfterMs }
      const reply = await store.remove(id, asked)
      if (reply.status === 'unknown_provider') throw new UnknownProviderError(id)
      if (reply.status === 'ok') break
      if (attempt > 1) throw new CommandLateError('remove', id)
      notAfterMs = reply.nowMs + commandTimeoutMs
    }
    this.#core.get(id)?.core.session.change({ providerId: id, events: [], snapshot: null })
  }
}
