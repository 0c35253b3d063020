import { z } from 'zod'
import {
  SETTING_FIELDS,
  type SettingField,
  type SettingGroup,
  type ValuesOf,
} from '../model/setting-fields.js'
import type { Settings, SettingsInput } from '../model/settings.js'
import { checkSettings, COMPLETE } from './check.js'
import { DEFAULTS } from './defaults.js'
import { schemaOf } from './fields.js'
import { probeSchema } from './probe.js'

const OBJECT = { error: 'expected an object' }

const schemaOfGroup = (group: SettingGroup) =>
  Object.fromEntries(
    Object.entries<SettingField>(SETTING_FIELDS[group]).map(([name, field]) => [
      name,
      schemaOf(field).optional(),
    ]),
  )

/** Whatever was not given has its default. */
function withDefaults<G extends 'breaker' | 'history'>(group: G, given: object): ValuesOf<G> {
  // One value for each field of the group, of the type that the table says: the schema has judged those given.
  return { ...DEFAULTS[group], ...defined(given) } as ValuesOf<G>
}

const breakerSchema = z
  .strictObject(schemaOfGroup('breaker'), OBJECT)
  .transform(({ maxCooldownMs, ...given }, context) => {
    const breaker = withDefaults('breaker', given)
    // Judged by the schema of the field; left out, it is never below the cooldown.
    const most = maxCooldownMs as number | undefined
    if (most !== undefined && most < breaker.cooldownMs) {
      context.addIssue({
        code: 'custom',
        path: ['maxCooldownMs'],
        message: `maxCooldownMs ${most} is below cooldownMs ${breaker.cooldownMs}`,
        ...COMPLETE,
      })
    }
    return { ...breaker, maxCooldownMs: most ?? Math.max(breaker.maxCooldownMs, breaker.cooldownMs) }
  })

const historySchema = z
  .strictObject(schemaOfGroup('history'), OBJECT)
  .transform((given) => withDefaults('history', given))

export const settingsSchema = z
  .strictObject(
    {
      breaker: breakerSchema.prefault({}),
      history: historySchema.prefault({}),
      ...schemaOfGroup('top'),
      probe: probeSchema.optional(),
    },
    OBJECT,
  )
  // One value for each field, of the type that its schema gives; those that were not given are left out.
  .transform((given) => defined(given) as Settings)

/** What only the complete settings can be asked: the one may be given, and the other be a default. */
const completeSchema = settingsSchema.superRefine(({ breaker, probe }, context) => {
  if (breaker.recovery !== 'probe' || probe !== undefined) return
  context.addIssue({
    code: 'custom',
    path: ['breaker', 'recovery'],
    message: 'recovery "probe" needs the setting probe, which is missing: nothing could close the circuit',
    ...COMPLETE,
  })
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
