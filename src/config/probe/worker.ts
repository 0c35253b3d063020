import * as v from 'valibot'
import type { ProbeFunction, ProcessSource } from '../../model/probe.js'
import { DEFAULTS } from '../defaults.js'
import { name, whole } from '../fields.js'
import { mapOf, object } from '../objects.js'

/** The schema of the code that a worker registers for its probes: `startProbes({ processes, functions })`. */

const SOURCE_ERROR = 'expected { pid }, { command: [file, ...args] }, or a function that answers one of them'
const source = v.custom<ProcessSource>(
  (value) => typeof value === 'function' || isTarget(value),
  SOURCE_ERROR,
)

const fn = v.custom<ProbeFunction>((value) => typeof value === 'function', 'expected a function')

/** Whether a value that a worker gave, or its function answered, is a process or a command. */
export function isTarget(value: unknown): value is Exclude<ProcessSource, (...args: never) => unknown> {
  if (typeof value !== 'object' || value === null) return false
  if ('command' in value) {
    const { command } = value
    return Array.isArray(command) && command.length > 0 && command.every(isArgument) && command[0] !== ''
  }
  return 'pid' in value && (value.pid === undefined || isPid(value.pid))
}

/** 0 and negative numbers mean whole groups of processes. */
const isPid = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0
const isArgument = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0')

const named = <S extends v.GenericSchema>(value: S, what: string) => {
  const error = `expected an object of name -> ${what}`
  return v.optional(mapOf(name(error), value, error), {})
}

export const probesSchema = object({
  concurrency: v.optional(whole(1, 1_000), DEFAULTS.probes.concurrency),
  processes: named(source, 'process'),
  functions: named(fn, 'function'),
})
