import { z } from 'zod'
import type {
  FunctionProbeSettings,
  HeartbeatProbeSettings,
  ProcessProbeSettings,
} from '../../model/probe.js'
import { name } from '../fields.js'
import { checkTimes, COMMON, complete, interval } from './common.js'

/**
 * Kinds whose check is code: what is stored is only its name, and the worker that runs it has registered it. What
 * somebody writes to Redis, or into a file of another host, can therefore not make a worker run anything.
 */

export const processProbe = z
  .strictObject({ ...COMMON, kind: z.literal('process'), name: name() })
  .transform((probe): ProcessProbeSettings => complete(probe))
  .superRefine(checkTimes)

export const functionProbe = z
  .strictObject({ ...COMMON, kind: z.literal('function'), name: name() })
  .transform((probe): FunctionProbeSettings => complete(probe))
  .superRefine(checkTimes)

export const heartbeatProbe = z
  .strictObject({
    ...COMMON,
    kind: z.literal('heartbeat'),
    ttlMs: interval(),
    stallMs: interval().optional(),
    process: name().optional(),
  })
  .transform((probe): HeartbeatProbeSettings => complete(probe))
  .superRefine(checkTimes)
