import type { ProbeFunction, ProcessSource } from '../../model/probe.js'
import { DEFAULTS } from '../defaults.js'
import { fn, isName, whole } from '../fields.js'
import { custom, object, record, refine, withDefault, type Schema } from '../schema.js'

/** What a worker may register for its probes: `startProbes({ processes, functions })`. */

const SOURCE_ERROR = 'expected { pid }, { command: [file, ...args] }, or a function that answers one of them'
const source = custom(
  (value): value is ProcessSource => typeof value === 'function' || isTarget(value),
  SOURCE_ERROR,
)

/** Whether what a worker gave, or its function answered, is a process or a command. */
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

const named = <T>(schema: Schema<T>, what: string): Schema<ReadonlyMap<string, T>> =>
  refine(
    withDefault(record(schema, `expected an object of name -> ${what}`, isName), {}),
    (given) => new Map(Object.entries(given)),
  )

export const probesSchema = object({
  concurrency: withDefault(whole(1, 1_000), DEFAULTS.probes.concurrency),
  processes: named(source, 'process'),
  functions: named(fn<ProbeFunction>(), 'function'),
})
