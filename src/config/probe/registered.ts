import * as v from 'valibot'
import { refuse } from '../check.js'
import { name } from '../fields.js'
import { fieldsOf } from '../objects.js'
import { clashOfTimes, COMMON, complete, interval } from './common.js'

/**
 * Kinds whose check is code: what is stored is only its name, and the worker that runs it has registered it. What
 * somebody writes to Redis, or into a file of another host, can therefore not make a worker run anything.
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
