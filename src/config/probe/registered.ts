import type {
  FunctionProbeSettings,
  HeartbeatProbeSettings,
  ProcessProbeSettings,
} from '../../model/probe.js'
import { literal, name } from '../fields.js'
import { optional, type Schema } from '../schema.js'
import { COMMON, interval, probeOf } from './common.js'

/**
 * Kinds whose check is code: what is stored is only its name, and the worker that runs it has registered it. What
 * somebody writes to Redis, or into a file of another host, can therefore not make a worker run anything.
 */

export const processProbe: Schema<ProcessProbeSettings> = probeOf({
  ...COMMON,
  kind: literal('process'),
  name: name(),
})

export const functionProbe: Schema<FunctionProbeSettings> = probeOf({
  ...COMMON,
  kind: literal('function'),
  name: name(),
})

export const heartbeatProbe: Schema<HeartbeatProbeSettings> = probeOf({
  ...COMMON,
  kind: literal('heartbeat'),
  ttlMs: interval(),
  stallMs: optional(interval()),
  process: optional(name()),
})
