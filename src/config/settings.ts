import { z } from 'zod'
import { RECOVERIES, type Settings, type SettingsInput } from '../model/settings.js'
import { checkSettings, COMPLETE } from './check.js'
import { DEFAULTS } from './defaults.js'
import { bool, DAY, number, oneOf, whole } from './fields.js'
import { probeSchema } from './probe.js'

const b = DEFAULTS.breaker
const h = DEFAULTS.history

const OBJECT = { error: 'expected an object' }

const breakerSchema = z
  .strictObject(
    {
      failureThreshold: whole(1, 1_000_000).default(b.failureThreshold),
      cooldownMs: whole(1, 30 * DAY).default(b.cooldownMs),
      successThreshold: whole(1, 1_000_000).default(b.successThreshold),
      halfOpenMaxTrials: whole(1, 1_000).default(b.halfOpenMaxTrials),
      trialLeaseMs: whole(1, DAY).default(b.trialLeaseMs),
      cooldownMultiplier: number(1, 100).default(b.cooldownMultiplier),
      maxCooldownMs: whole(1, 30 * DAY).optional(),
      cooldownJitter: number(0, 1).default(b.cooldownJitter),
      enforce: bool().default(b.enforce),
      recovery: oneOf(RECOVERIES).default(b.recovery),
    },
    OBJECT,
  )
  .superRefine((breaker, context) => {
    if (breaker.maxCooldownMs !== undefined && breaker.maxCooldownMs < breaker.cooldownMs) {
      context.addIssue({
        code: 'custom',
        path: ['maxCooldownMs'],
        message: `maxCooldownMs ${breaker.maxCooldownMs} is below cooldownMs ${breaker.cooldownMs}`,
        ...COMPLETE,
      })
    }
  })
  .transform((breaker) => ({
    ...breaker,
    maxCooldownMs: breaker.maxCooldownMs ?? Math.max(b.maxCooldownMs, breaker.cooldownMs),
  }))

const historySchema = z.strictObject(
  {
    maxRecords: whole(1, 10_000_000).default(h.maxRecords),
    windowMs: whole(1, 7 * DAY).default(h.windowMs),
    degradationThreshold: number(0, 1).default(h.degradationThreshold),
  },
  OBJECT,
)

export const settingsSchema = z
  .strictObject(
    {
      breaker: breakerSchema.prefault({}),
      history: historySchema.prefault({}),
      slowMs: whole(1, DAY).optional(),
      probe: probeSchema.optional(),
    },
    OBJECT,
  )
  .transform(({ slowMs, probe, ...rest }): Settings => {
    return { ...rest, ...(slowMs === undefined ? {} : { slowMs }), ...(probe === undefined ? {} : { probe }) }
  })

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
    breaker: { ...defined(defaults.breaker), ...defined(input.breaker) },
    history: { ...defined(defaults.history), ...defined(input.history) },
    slowMs: input.slowMs ?? defaults.slowMs,
    probe: input.probe ?? defaults.probe,
  })
}

const defined = (given: object | undefined): object =>
  Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined))
