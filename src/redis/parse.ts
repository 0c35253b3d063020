import { BusbarError } from '../model/errors.js'
import type { Change, ProviderEvent } from '../model/events.js'
import type { Outage } from '../model/outage.js'
import { EMPTY_SNAPSHOT, SNAPSHOT_FIELDS, type SnapshotType } from '../model/snapshot.js'
import type { HistoryEntry, StoredSnapshot } from '../model/snapshot.js'
import { toText } from '../model/text.js'
import { byWorker, type WorkerTally } from '../model/worker-tally.js'
import { CIRCUIT_STATES, isHealthStatus, MARKS } from '../model/words.js'

/** Everything that Redis says about providers becomes a value of ours here, and nowhere else. */

const unreadable = (what: string, value: unknown) =>
  new BusbarError('redis_unsupported', `unreadable ${what} in Redis: ${toText(JSON.stringify(value), 200)}`)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

const STATES: ReadonlySet<unknown> = new Set(CIRCUIT_STATES)
const MARK_NAMES: ReadonlySet<unknown> = new Set(MARKS)

const isSuspect = (value: unknown): boolean =>
  isObject(value) &&
  ['worker', 'domain', 'against'].every((name) => typeof value[name] === 'string') &&
  ['since', 'namedAt', 'failures', 'successes'].every((name) => typeof value[name] === 'number')

/** Whether a value may be what a field of this type holds. */
const ACCEPTS: Readonly<Record<SnapshotType, (value: unknown) => boolean>> = {
  number: (value) => typeof value === 'number',
  maybe: (value) => typeof value === 'number' || value === null,
  text: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
  state: (value) => STATES.has(value),
  mark: (value) => MARK_NAMES.has(value),
  cause: (value) => value === 'rule' || value === 'hand',
  status: isHealthStatus,
  suspects: (value) => Array.isArray(value) && value.every(isSuspect),
}

const CHECKS = new Map(Object.entries(SNAPSHOT_FIELDS).map(([name, { type }]) => [name, ACCEPTS[type]]))
/** Not frozen: a frozen object takes ten times as long to copy. */
const EMPTY = { ...EMPTY_SNAPSHOT }

/**
 * A field that is missing has its default, and so has one that this version cannot read: another version wrote it. Only the
 * state must be one that is known, because calls are decided by it.
 */
export function parseSnapshot(value: unknown): StoredSnapshot | null {
  if (value === undefined || value === null) return null
  if (!isObject(value)) throw unreadable('snapshot', value)
  if (!STATES.has(value['state'])) throw unreadable('snapshot field state', value)
  const parsed: Record<string, unknown> = { ...EMPTY }
  // Nothing that JSON gives has inherited fields.
  for (const name in value) {
    if (CHECKS.get(name)?.(value[name]) === true) parsed[name] = value[name]
  }
  // Each field of the table, with its default or with a value of its type.
  return parsed as unknown as StoredSnapshot
}

/** A kind that a later version added is handed on as it is. */
export function parseEvent(providerId: string, value: unknown): ProviderEvent {
  if (!isObject(value)) throw unreadable('event', value)
  // What it is, goes from and goes to is the scripts' word for it, which a later version may add to. The type says what this
  // version writes: a type that allowed any text would not say what `from` and `to` are.
  return {
    kind: asText(value['kind']),
    providerId,
    from: asText(value['from']),
    to: asText(value['to']),
    reason: asText(value['reason']),
    generation: Number(value['generation']),
    version: Number(value['version']),
    worker: asText(value['worker']),
    actor: asText(value['actor']),
    at: Number(value['at']),
  } as ProviderEvent
}

export function parseEvents(providerId: string, value: unknown): ProviderEvent[] {
  const list: unknown[] = Array.isArray(value) ? value : []
  return list.map((event) => parseEvent(providerId, event))
}

/** Calls by worker, in the order of their names. */
export function parseTallies(value: unknown): WorkerTally[] {
  const list: unknown[] = Array.isArray(value) ? value : []
  const tallies = list.map((entry) => {
    if (!Array.isArray(entry)) throw unreadable('tally', entry)
    const [worker, calls, failures, inARow, lastAt] = entry as unknown[]
    return {
      worker: asText(worker),
      calls: Number(calls),
      failures: Number(failures),
      inARow: Number(inARow),
      lastAt: Number(lastAt),
    }
  })
  return tallies.sort(byWorker)
}

/** A message of the changes channel. */
export function parseChange(message: string): Change {
  const value: unknown = JSON.parse(message)
  if (!isObject(value) || typeof value['providerId'] !== 'string') throw unreadable('message', value)
  const providerId = value['providerId']
  return {
    providerId,
    events: parseEvents(providerId, value['events']),
    snapshot: parseSnapshot(value['snapshot']),
  }
}

/** Entries of XREVRANGE, oldest first. */
export const parseStream = (providerId: string, reply: unknown): ProviderEvent[] =>
  streamEntries(reply).map((entry) => parseEvent(providerId, entry))

/** Entries of XREVRANGE with their ids, oldest first. */
export function parseEntries(
  providerId: string,
  reply: unknown,
): { readonly entry: string; readonly event: ProviderEvent }[] {
  const events = streamEntries(reply) // reversed in place
  const list: readonly unknown[] = Array.isArray(reply) ? reply : []
  const ids = list.map((entry) => asText(Array.isArray(entry) ? entry[0] : undefined))
  return events.map((fields, i) => ({
    entry: ids[i] ?? '',
    event: parseEvent(providerId, fields),
  }))
}

function streamEntries(reply: unknown): Record<string, unknown>[] {
  if (!Array.isArray(reply)) throw unreadable('stream', reply)
  return reply.reverse().map((entry: unknown) => {
    const fields: unknown = Array.isArray(entry) ? entry[1] : undefined
    if (!Array.isArray(fields)) throw unreadable('stream entry', entry)
    const pairs = fields.flatMap((field: unknown, i): [string, unknown][] =>
      i % 2 === 0 ? [[String(field), fields[i + 1]]] : [],
    )
    return Object.fromEntries(pairs)
  })
}

/** Entries of the stream of outages, oldest first. */
export function parseOutages(reply: unknown): Outage[] {
  return streamEntries(reply).map((entry) => ({
    from: Number(entry['from']),
    to: Number(entry['to']),
    reason: asText(entry['reason']),
    trials: Number(entry['trials']),
    doomed: Number(entry['doomed']),
    by: entry['by'] === 'hand' ? 'hand' : 'rule',
  }))
}

/** Members and scores of ZREVRANGE WITHSCORES, oldest first. */
export function parseHistory(reply: unknown): HistoryEntry[] {
  if (!Array.isArray(reply)) throw unreadable('history', reply)
  const entries: HistoryEntry[] = []
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const [, status, count] = String(reply[i]).split(':')
    if (status === undefined || count === undefined) throw unreadable('history member', reply[i])
    entries.push({ at: Number(reply[i + 1]), status, count: Number(count) })
  }
  return entries.reverse()
}

/** Pairs of HGETALL, as ioredis gives them: an object. */
export function parseHash(reply: unknown): Record<string, string> {
  if (!isObject(reply)) throw unreadable('hash', reply)
  return Object.fromEntries(Object.entries(reply).map(([field, value]) => [field, String(value)]))
}

/** A sorted set, WITHSCORES: member -> score, in its order. */
export function parseScores(reply: unknown): Map<string, number> {
  const flat: unknown[] = Array.isArray(reply) ? reply : []
  const scores = new Map<string, number>()
  for (let i = 0; i < flat.length; i += 2) scores.set(String(flat[i]), Number(flat[i + 1]))
  return scores
}

/** What TIME says, ms. */
export function parseTime(reply: unknown): number {
  return Array.isArray(reply) ? Number(reply[0]) * 1_000 + Math.floor(Number(reply[1]) / 1_000) : 0
}
