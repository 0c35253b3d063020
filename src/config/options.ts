import * as v from 'valibot'
import { MARKS, OUTCOMES } from '../model/words.js'
import { DEFAULTS } from './defaults.js'
import { bool, DAY, name, number, oneOf, text, whole } from './fields.js'
import { anyObject, object, recordOf } from './objects.js'

/** Schemas of the arguments of methods. */

const CONSISTENCIES = ['cached', 'strict'] as const
export type Consistency = (typeof CONSISTENCIES)[number]

/** How calls are decided while Redis does not answer. */
export const ON_REDIS_DOWN = ['local', 'allow', 'deny'] as const
export type OnRedisDown = (typeof ON_REDIS_DOWN)[number]

const c = DEFAULTS.connect

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

const logger = v.custom<object | false>(
  (value) =>
    value === false ||
    (typeof value === 'object' &&
      value !== null &&
      LEVELS.every((level) => typeof Reflect.get(value, level) === 'function')),
  'expected a logger with debug, info, warn and error, or false',
)

const redis = v.custom<string | object>(
  (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
  'expected a redis:// URL, ioredis options, or an ioredis client',
)

/** Options that `connect` and `createTestBusbar` share. */
const common = {
  defaults: v.optional(anyObject()),
  consistency: v.optional(oneOf(CONSISTENCIES), c.consistency),
  onRedisDown: v.optional(oneOf(ON_REDIS_DOWN), c.onRedisDown),
  workerId: v.optional(name()),
  failureDomain: v.optional(name()),
  logger: v.optional(logger),
}

export const connectSchema = object({
  redis,
  namespace: v.optional(name(), c.namespace),
  defaults: common.defaults,
  providers: v.optional(recordOf(v.string(), anyObject(), 'expected an object of id -> settings')),
  consistency: common.consistency,
  onRedisDown: common.onRedisDown,
  workerId: common.workerId,
  failureDomain: common.failureDomain,
  logger: common.logger,
  commandTimeoutMs: v.optional(whole(1, 60_000), c.commandTimeoutMs),
  flushIntervalMs: v.optional(whole(1, 10_000), c.flushIntervalMs),
  maxBatchesPerSecond: v.optional(whole(1, 1_000_000), c.maxBatchesPerSecond),
  probeQueues: v.optional(whole(1, 64), c.probeQueues),
  unref: v.optional(bool(), c.unref),
})

/** Options of `createTestBusbar`. Clock and fleet are checked in `testing.ts`, which knows their classes. */
export const testBusbarSchema = object({
  clock: v.optional(v.unknown()),
  fleet: v.optional(v.unknown()),
  defaults: common.defaults,
  logger: common.logger,
  workerId: common.workerId,
  failureDomain: common.failureDomain,
  consistency: common.consistency,
  onRedisDown: common.onRedisDown,
})

export const providerOptionsSchema = object({
  classify: v.optional(v.function('expected a function')),
  consistency: v.optional(oneOf(CONSISTENCIES)),
  onRedisDown: v.optional(oneOf(ON_REDIS_DOWN)),
  timeoutMs: v.optional(number(1, DAY)),
})

export const idSchema = name()

const control = { reason: v.optional(text(500), ''), actor: v.optional(text(128)) }

export const controlSchema = object(control)
export const tripSchema = object({ ...control, forMs: v.nullish(whole(1, 3_650 * DAY), null) })
export const markSchema = tripSchema
export const markNameSchema = oneOf(MARKS)
export const outcomeSchema = oneOf(OUTCOMES)
export const countSchema = object({ count: v.optional(whole(0, 1_000_000), 100) })
export const thresholdSchema = number(0, 1)
/** The greatest number that keeps all its digits on its way through Lua and JSON. */
const MAX_PROGRESS = 10_000_000_000_000
export const heartbeatSchema = object({ progress: v.optional(whole(0, MAX_PROGRESS)) })
export const probeNowSchema = object({ timeoutMs: v.optional(whole(1, DAY)) })
export const closeSchema = object({ timeoutMs: v.optional(whole(0, DAY), 5_000) })
export { probesSchema } from './probe/worker.js'
