import * as v from 'valibot'
import { refuse } from '../check.js'
import { name } from '../fields.js'
import { fieldsOf } from '../objects.js'
import { clashOfTimes, COMMON, complete, interval } from './common.js'

/**
 * Kinds whose check is code. Only the name of the code is stored, and a worker runs what it has registered itself. So
 * settings in Redis, or in a file of another host, cannot make a worker run anything else.
 */

export const processProbe = v.pipe(
  fieldsOf({ ...COMMON, kind: v.literal('process'), name: name() }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe)),
)

export const functionProbe = v.pipe(
  fieldsOf({ ...COMMON, kind: v.literal('function'), name: name() }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe)),
)

export const heartbeatProbe = v.pipe(
  fieldsOf({
    ...COMMON,
    kind: v.literal('heartbeat'),
    ttlMs: interval(),
    stallMs: v.optional(interval()),
    process: v.optional(name()),
  }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe)),
)
