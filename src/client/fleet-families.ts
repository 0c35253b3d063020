import { checkArgument, checkSettings } from '../config/check.js'
import { anyObject } from '../config/objects.js'
import { familyNameSchema, familySchema } from '../config/options.js'
import type { BusbarCore } from './busbar-core.js'
import type { FleetProviders } from './fleet-providers.js'
import { Family, type FamilyOptions, type FamilySettings, type FamilySpec } from './registry/family.js'

interface Given {
  readonly settings: FamilySettings | undefined
  readonly options: FamilyOptions | undefined
}

/** The families of one process, by name. */
export class FleetFamilies {
  readonly #core: BusbarCore
  readonly #providers: FleetProviders
  readonly #families = new Map<string, Family>()
  /** What each was last given: the same again changes nothing. */
  readonly #given = new Map<string, Given>()

  constructor(core: BusbarCore, providers: FleetProviders) {
    this.#core = core
    this.#providers = providers
  }

  /** See `busbar.family()`. */
  get(name: string, settings: FamilySettings | undefined, options: FamilyOptions | undefined): Family {
    const known = this.#families.get(name)
    const before = this.#given.get(name)
    const given = { settings: settings ?? before?.settings, options: options ?? before?.options }
    if (known !== undefined && given.settings === before?.settings && given.options === before?.options)
      return known
    checkArgument(familyNameSchema, name, 'name')
    const spec = specOf(given)
    this.#providers.check(spec.settings)
    this.#given.set(name, given)
    if (known !== undefined) {
      known.configure(spec)
      return known
    }
    const { context, registry } = this.#core
    const family = new Family(name, spec, {
      context,
      registry,
      register: (id, ...how) => this.#providers.register(id, ...how),
    })
    this.#families.set(name, family)
    return family
  }
}

/** @throws SettingsError */
function specOf({ settings = {}, options = {} }: Given): FamilySpec {
  checkSettings(anyObject(), settings, 'settings')
  checkSettings(anyObject(), options, 'options')
  const { maxHandles, idleExpireMs, ...own } = settings
  const limits = checkSettings(familySchema, { maxHandles, idleExpireMs, ...options })
  // The functions are those that were given, whatever the schema made of them.
  const { classify, consistency, onRedisDown, timeoutMs } = options
  return {
    settings: Object.keys(own).length === 0 ? undefined : own,
    options: { classify, consistency, onRedisDown, timeoutMs },
    maxHandles: limits.maxHandles,
    idleExpireMs: limits.idleExpireMs,
  }
}
