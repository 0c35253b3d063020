import {
  SETTING_FIELDS,
  type SettingField,
  type SettingGroup,
  type ValuesOf,
} from '../model/setting-fields.js'
import type { Settings, SettingsInput } from '../model/settings.js'
import { checkSettings } from './check.js'
import { DEFAULTS } from './defaults.js'
import { complete, schemaOf } from './fields.js'
import { probeSchema } from './probe.js'
import { object, optional, refine, type Schema } from './schema.js'

const schemaOfGroup = (group: SettingGroup) =>
  Object.fromEntries(
    Object.entries<SettingField>(SETTING_FIELDS[group]).map(([name, field]) => [
      name,
      optional(schemaOf(field)),
    ]),
  )

/** Whatever was not given has its default. */
function withDefaults<G extends 'breaker' | 'history'>(group: G, given: object): ValuesOf<G> {
  // One value for each field of the group, of the type that the table says: the schema has judged those given.
  return { ...DEFAULTS[group], ...given } as ValuesOf<G>
}

const givenBreaker = object(schemaOfGroup('breaker'))
const givenHistory = object(schemaOfGroup('history'))

const breakerSchema: Schema<ValuesOf<'breaker'>> = (value = {}) => {
  const given = givenBreaker(value)
  const breaker = withDefaults('breaker', given)
  const { cooldownMs, maxCooldownMs } = breaker
  if (maxCooldownMs >= cooldownMs) return breaker
  // Left out, it is never below the cooldown.
  if (given['maxCooldownMs'] === undefined) return { ...breaker, maxCooldownMs: cooldownMs }
  throw complete(`maxCooldownMs ${maxCooldownMs} is below cooldownMs ${cooldownMs}`, 'maxCooldownMs')
}

const historySchema: Schema<ValuesOf<'history'>> = (value = {}) =>
  withDefaults('history', givenHistory(value))

export const settingsSchema: Schema<Settings> = refine(
  object({
    breaker: breakerSchema,
    history: historySchema,
    ...schemaOfGroup('top'),
    probe: optional(probeSchema),
  }),
  // One value for each field, of the type that its schema gives; those that were not given are left out.
  (given) => given as Settings,
)

/** What only the complete settings can be asked: the one may be given, and the other be a default. */
const completeSchema = refine(settingsSchema, (settings) => {
  const { breaker, probe } = settings
  if (breaker.recovery !== 'probe' || probe !== undefined) return settings
  throw complete(
    'recovery "probe" needs the setting probe, which is missing: nothing could close the circuit',
    'breaker',
    'recovery',
  )
})

/**
 * The complete settings: those given, over the connection's defaults, over the built-in ones.
 * @throws SettingsError naming the path and the value.
 */
export function resolveSettings(input: SettingsInput = {}, defaults: SettingsInput = {}): Settings {
  // Nothing to put them over: checked once, for a process may have thousands.
  if (Object.keys(defaults).length === 0) return checkSettings(completeSchema, input)
  checkSettings(settingsSchema, input)
  checkSettings(settingsSchema, defaults, 'defaults')
  return checkSettings(completeSchema, {
    ...defined(defaults),
    ...defined(input),
    breaker: { ...defined(defaults.breaker), ...defined(input.breaker) },
    history: { ...defined(defaults.history), ...defined(input.history) },
  })
}

/**
 * Settings as they stand in a store. They are judged one by one: `recovery: 'probe'` holds for a probe that this version
 * does not know.
 * @throws SettingsError naming the path and the value.
 */
export const checkStored = (stored: object): Settings => checkSettings(settingsSchema, stored)

const defined = (given: object | undefined): object =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
