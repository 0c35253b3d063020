import * as v from 'valibot'
import {
  SETTING_FIELDS,
  type SettingField,
  type SettingGroup,
  type ValuesOf,
} from '../model/setting-fields.js'
import type { Settings, SettingsInput } from '../model/settings.js'
import { checkSettings, refuse } from './check.js'
import { DEFAULTS } from './defaults.js'
import { schemaOf } from './fields.js'
import { object } from './objects.js'
import { probeSchema } from './probe.js'

const schemaOfGroup = (group: SettingGroup) =>
  Object.fromEntries(
    Object.entries<SettingField>(SETTING_FIELDS[group]).map(([name, field]) => [
      name,
      v.optional(schemaOf(field)),
    ]),
  )

/** A setting that was not given takes its default. */
function withDefaults<G extends 'breaker' | 'history'>(group: G, given: object): ValuesOf<G> {
  // One value for each field of the group, of the type that the table says: the schema has judged those given.
  return { ...DEFAULTS[group], ...defined(given) } as ValuesOf<G>
}

const breakerSchema = v.pipe(
  object(schemaOfGroup('breaker')),
  v.transform((given) => {
    const breaker = withDefaults('breaker', given)
    // A default below a given cooldown would be refused, so it follows the cooldown.
    const least = given['maxCooldownMs'] === undefined ? breaker.cooldownMs : 0
    return { ...breaker, maxCooldownMs: Math.max(breaker.maxCooldownMs, least) }
  }),
  refuse(({ cooldownMs, maxCooldownMs }) => {
    if (maxCooldownMs >= cooldownMs) return undefined
    const message = `maxCooldownMs ${maxCooldownMs} is below cooldownMs ${cooldownMs}`
    return { path: ['maxCooldownMs'], message, complete: true }
  }),
)

const historySchema = v.pipe(
  object(schemaOfGroup('history')),
  v.transform((given) => withDefaults('history', given)),
)

export const settingsSchema = v.pipe(
  object({
    breaker: v.optional(breakerSchema, {}),
    history: v.optional(historySchema, {}),
    ...schemaOfGroup('top'),
    probe: v.optional(probeSchema),
  }),
  // One value for each field, of the type that its schema gives; those that were not given are left out.
  v.transform((given) => defined(given) as Settings),
)

/** Checks settings that depend on each other. Only complete settings can be checked: one may be given, the other a default. */
const completeSchema = v.pipe(
  settingsSchema,
  refuse(({ breaker }) => {
    const { failureThreshold, failureRate, degradedRate } = breaker
    if (failureThreshold !== null || failureRate !== undefined || degradedRate !== undefined) return undefined
    const message =
      'failureThreshold null needs failureRate or degradedRate, which are missing: nothing could open the circuit'
    return { path: ['breaker', 'failureThreshold'], message, complete: true }
  }),
  refuse(({ breaker, probe }) => {
    if (breaker.recovery !== 'probe' || probe !== undefined) return undefined
    const message =
      'recovery "probe" needs the setting probe, which is missing: nothing could close the circuit'
    return { path: ['breaker', 'recovery'], message, complete: true }
  }),
)

/**
 * The complete settings. Those given come first, then the connection's defaults, then the built-in ones.
 * @throws SettingsError naming the path and the value.
 */
export function resolveSettings(input: SettingsInput = {}, defaults: SettingsInput = {}): Settings {
  // Without the connection's defaults the result is remembered: a process may have thousands of equal settings.
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
 * Settings from a store. Each is judged alone: `recovery: 'probe'` holds for a probe that this version
 * does not know.
 * @throws SettingsError naming the path and the value.
 */
export const checkStored = (stored: object): Settings => checkSettings(settingsSchema, stored)

const defined = (given: object | undefined): object =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
