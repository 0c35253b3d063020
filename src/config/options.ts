import { MARKS, OUTCOMES } from '../model/words.js'
import { DEFAULTS } from './defaults.js'
import { bool, DAY, fn, name, number, oneOf, text, whole } from './fields.js'
import { anything, anyObject, custom, object, optional, record, withDefault, type Schema } from './schema.js'

/** Schemas of what methods take. */

const CONSISTENCIES = ['cached', 'strict'] as const
export type Consistency = (typeof CONSISTENCIES)[number]

/** How calls are decided while Redis does not answer. */
export const ON_REDIS_DOWN = ['local', 'allow', 'deny'] as const
export type OnRedisDown = (typeof ON_REDIS_DOWN)[number]

const c = DEFAULTS.connect

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const logger = custom(
  (value): value is object | false =>
    value === false ||
    (isObject(value) && LEVELS.every((level) => typeof Reflect.get(value, level) === 'function')),
  'expected a logger with debug, info, warn and error, or false',
)

const redis = custom(
  (value) => typeof value === 'string' || isObject(value),
  'expected a redis:// URL, ioredis options, or an ioredis client',
)

export const connectSchema = object({
  redis,
  namespace: withDefault(name(), c.namespace),
  defaults: optional(anyObject),
  providers: optional(record(anyObject, 'expected an object of id -> settings')),
  consistency: withDefault(oneOf(CONSISTENCIES), c.consistency),
  onRedisDown: withDefault(oneOf(ON_REDIS_DOWN), c.onRedisDown),
  workerId: optional(name()),
  logger: optional(logger),
  commandTimeoutMs: withDefault(whole(1, 60_000), c.commandTimeoutMs),
  flushIntervalMs: withDefault(whole(1, 10_000), c.flushIntervalMs),
  maxBatchesPerSecond: withDefault(whole(1, 1_000_000), c.maxBatchesPerSecond),
  probeQueues: withDefault(whole(1, 64), c.probeQueues),
  unref: withDefault(bool(), c.unref),
})

/** Of `createTestBusbar`. Clock and fleet are looked at where they are known. */
export const testBusbarSchema = object({
  clock: anything,
  fleet: anything,
  defaults: optional(anyObject),
  logger: optional(logger),
  workerId: optional(name()),
  consistency: withDefault(oneOf(CONSISTENCIES), c.consistency),
  onRedisDown: withDefault(oneOf(ON_REDIS_DOWN), c.onRedisDown),
})

export const providerOptionsSchema = object({
  classify: optional(fn()),
  consistency: optional(oneOf(CONSISTENCIES)),
  onRedisDown: optional(oneOf(ON_REDIS_DOWN)),
  timeoutMs: optional(number(1, DAY)),
})

export const idSchema = name()

const control = { reason: withDefault(text(500), ''), actor: optional(text(128)) }
const duration = whole(1, 3_650 * DAY)
const forMs: Schema<number | null> = (ms) => (ms === undefined || ms === null ? null : duration(ms))

export const controlSchema = object(control)
export const tripSchema = object({ ...control, forMs })
export const markSchema = tripSchema
export const markNameSchema = oneOf(MARKS)
export const outcomeSchema = oneOf(OUTCOMES)
export const countSchema = object({ count: withDefault(whole(0, 1_000_000), 100) })
export const thresholdSchema = number(0, 1)
/** As far as a number keeps all its digits on its way through Lua and JSON. */
const MAX_PROGRESS = 10_000_000_000_000
export const heartbeatSchema = object({ progress: optional(whole(0, MAX_PROGRESS)) })
export const closeSchema = object({ timeoutMs: withDefault(whole(0, DAY), 5_000) })
export { probesSchema } from './probe/worker.js'
