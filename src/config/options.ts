import { z } from 'zod'
import { MARKS, OUTCOMES } from '../model/words.js'
import { DEFAULTS } from './defaults.js'
import { bool, DAY, name, oneOf, text, whole } from './fields.js'

/** Schemas of what methods take. */

const CONSISTENCIES = ['cached', 'strict'] as const
export type Consistency = (typeof CONSISTENCIES)[number]

/** How calls are decided while Redis does not answer. */
export const ON_REDIS_DOWN = ['local', 'allow', 'deny'] as const
export type OnRedisDown = (typeof ON_REDIS_DOWN)[number]

const fn = () =>
  z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', {
    error: 'expected a function',
  })

const c = DEFAULTS.connect

const logger = z.custom<object | false>(
  (value) =>
    value === false ||
    (typeof value === 'object' &&
      value !== null &&
      (['debug', 'info', 'warn', 'error'] as const).every(
        (level) => typeof Reflect.get(value, level) === 'function',
      )),
  { error: 'expected a logger with debug, info, warn and error, or false' },
)

export const connectSchema = z.strictObject(
  {
    redis: z.custom<string | object>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
      { error: 'expected a redis:// URL, ioredis options, or an ioredis client' },
    ),
    namespace: name().default(c.namespace),
    defaults: z.looseObject({}, { error: 'expected an object' }).optional(),
    providers: z
      .record(z.string(), z.looseObject({}, { error: 'expected an object' }), {
        error: 'expected an object of id -> settings',
      })
      .optional(),
    consistency: oneOf(CONSISTENCIES).default(c.consistency),
    onRedisDown: oneOf(ON_REDIS_DOWN).default(c.onRedisDown),
    workerId: name().optional(),
    logger: logger.optional(),
    commandTimeoutMs: whole(1, 60_000).default(c.commandTimeoutMs),
    flushIntervalMs: whole(1, 10_000).default(c.flushIntervalMs),
    maxBatchesPerSecond: whole(1, 1_000_000).default(c.maxBatchesPerSecond),
    probeQueues: whole(1, 64).default(c.probeQueues),
    unref: bool().default(c.unref),
  },
  { error: 'expected an object' },
)

/** Of `createTestBusbar`. Clock and fleet are looked at where they are known. */
export const testBusbarSchema = z.strictObject(
  {
    clock: z.unknown().optional(),
    fleet: z.unknown().optional(),
    defaults: connectSchema.shape.defaults,
    logger: logger.optional(),
    workerId: name().optional(),
    consistency: connectSchema.shape.consistency,
    onRedisDown: connectSchema.shape.onRedisDown,
  },
  { error: 'expected an object' },
)

const TIMEOUT = `expected a number from 1 to ${DAY}`

export const providerOptionsSchema = z.strictObject(
  {
    classify: fn().optional(),
    consistency: oneOf(CONSISTENCIES).optional(),
    onRedisDown: oneOf(ON_REDIS_DOWN).optional(),
    timeoutMs: z
      .number({ error: TIMEOUT })
      .min(1, { error: TIMEOUT })
      .max(DAY, { error: TIMEOUT })
      .optional(),
  },
  { error: 'expected an object' },
)

export const idSchema = name()

const control = { reason: text(500).default(''), actor: text(128).optional() }
const forMs = whole(1, 3_650 * DAY)
  .nullish()
  .transform((ms) => ms ?? null)
const OBJECT = { error: 'expected an object' }

export const controlSchema = z.strictObject(control, OBJECT)
export const tripSchema = z.strictObject({ ...control, forMs }, OBJECT)
export const markSchema = tripSchema
export const markNameSchema = oneOf(MARKS)
export const outcomeSchema = oneOf(OUTCOMES)
export const countSchema = z.strictObject({ count: whole(0, 1_000_000).default(100) }, OBJECT)
export const thresholdSchema = z.number({ error: 'expected a number from 0 to 1' }).min(0).max(1)
/** As far as a number keeps all its digits on its way through Lua and JSON. */
const MAX_PROGRESS = 10_000_000_000_000
export const heartbeatSchema = z.strictObject({ progress: whole(0, MAX_PROGRESS).optional() }, OBJECT)
export const closeSchema = z.strictObject({ timeoutMs: whole(0, DAY).default(5_000) }, OBJECT)
export { probesSchema } from './probe/worker.js'
