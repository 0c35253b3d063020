import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import type { HistoryEntry } from '../model/snapshot.js'
import {
  isCircuitOutcome,
  isHealthStatus,
  isSuccess,
  ORIGINS,
  OUTCOMES,
  type Origin,
} from '../model/words.js'
import type { WantedCall } from './simulated-worker.js'
import type { TraceCall } from './source.js'

/** A call of a trace, at its time in the simulation. */
export interface TimedCall {
  readonly beginMs: number
  readonly endMs: number
  readonly worker: string
  readonly domain: string
  readonly origin: Origin
  readonly call: WantedCall
}

/** The calls in the order of their beginnings, from 0 on. @throws ArgumentError naming the number of the call, and the value. */
export function callsOfTrace(trace: Iterable<TraceCall>, slowMs = Infinity): TimedCall[] {
  const calls: TimedCall[] = []
  for (const call of trace) calls.push(timed(checkTraceCall(call, `trace.${calls.length}`), slowMs))
  return fromZero(calls)
}

function timed(
  { at, ms = 0, worker = 'worker', domain = worker, ...rest }: TraceCall,
  slowMs: number,
): TimedCall {
  const { outcome: seen, origin = 'call' } = rest
  const outcome = seen === 'healthy' && ms > slowMs ? 'degraded' : seen
  const doomed = isCircuitOutcome(outcome) && !isSuccess(outcome)
  const good = isCircuitOutcome(outcome) && !doomed
  return { beginMs: at - ms, endMs: at, worker, domain, origin, call: { outcome, ms, good, doomed } }
}

/** A run of the history lasts so long at most, ms. */
const RUN_MS = 300

/** The outcomes of each run, evenly until the next run begins. A status of a later version says nothing here. */
export function callsOfHistory(history: readonly HistoryEntry[]): TimedCall[] {
  const runs = history.toSorted((a, b) => a.at - b.at)
  const calls: TimedCall[] = []
  for (const [i, { at, status, count }] of runs.entries()) {
    if (!isHealthStatus(status)) continue
    const lastsMs = Math.min(RUN_MS, (runs[i + 1]?.at ?? Infinity) - at)
    for (let n = 0; n < count; n += 1)
      calls.push(timed({ at: at + (lastsMs * n) / count, outcome: status, worker: 'history' }, Infinity))
  }
  return fromZero(calls)
}

function fromZero(calls: TimedCall[]): TimedCall[] {
  calls.sort((a, b) => a.beginMs - b.beginMs)
  const startMs = calls[0]?.beginMs ?? 0
  return calls.map((call) => ({ ...call, beginMs: call.beginMs - startMs, endMs: call.endMs - startMs }))
}

/** One line of a file. @throws ArgumentError naming `where`, such as `calls.ndjson:17`, and the value. */
export function parseTraceLine(line: string, where: string): TraceCall {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ArgumentError(where, `${where}: expected one JSON object a line, got ${show(line)}`)
  }
  return checkTraceCall(value, where)
}

const FIELDS: Readonly<
  Record<keyof TraceCall, { readonly expected: string; readonly holds: (value: unknown) => boolean }>
> = {
  at: { expected: 'a number of ms since 1970', holds: isTime },
  outcome: { expected: `one of ${OUTCOMES.join(', ')}`, holds: (value) => isOneOf(OUTCOMES, value) },
  ms: { expected: 'a number of ms, 0 or more', holds: (value) => value === undefined || isTime(value) },
  domain: { expected: 'text', holds: isText },
  worker: { expected: 'text', holds: isText },
  origin: {
    expected: `one of ${ORIGINS.join(', ')}`,
    holds: (value) => value === undefined || isOneOf(ORIGINS, value),
  },
}

/** Fields that it does not know are none of its business: a program may write more into its trace. */
export function checkTraceCall(value: unknown, where: string): TraceCall {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ArgumentError(where, `${where}: expected an object, got ${show(value)}`)
  for (const [name, { expected, holds }] of Object.entries(FIELDS)) {
    const found: unknown = Reflect.get(value, name)
    if (holds(found)) continue
    const path = `${where}.${name}`
    throw new ArgumentError(path, `${where}: ${name}: expected ${expected}, got ${show(found)}`)
  }
  // Each field has just been judged.
  return value as TraceCall
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isText(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '')
}

const isOneOf = (words: readonly unknown[], value: unknown): boolean => words.includes(value)
