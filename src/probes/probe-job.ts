import { randomUUID } from 'node:crypto'
import type { Claims, ProbeReason } from '../model/ports/schedule.js'
import type { ProbeResult } from '../model/probe.js'
import { isHealthStatus } from '../model/words.js'

/** A job of the queues. `plan`: be the planner until the next; `reconcile`: see to it that the schedule is as it should be. */
export type QueueJob = { readonly do: 'plan' } | { readonly do: 'reconcile' } | ProbeJob

/** One probe while little is due, several of those claimed together when much is. */
export interface ProbeJob {
  readonly do: 'probe'
  readonly why: ProbeReason
  /** When its probes were claimed, or asked for, by Redis's clock, ms. */
  readonly at: number
  /** Of a job by hand, by Redis's clock, ms: later its caller has given up, and it makes no probe. */
  readonly notAfterMs?: number
  /** Provider, and the interval that its turn was planned by, ms. */
  readonly providers: readonly (readonly [id: string, intervalMs: number])[]
}

/** The part of each probe that a job keeps, for a person who looks at the queue, and for the one who asked for it. */
export type ProbeRecord = { readonly id: string } & (
  | (Pick<ProbeResult, 'status' | 'detail' | 'elapsedMs'> & {
      /** It held the trial of a half-open circuit. */
      readonly trial?: true
    })
  | {
      /** Why there was none, in words. */
      readonly skipped: string
      /** The same as a code, as in the report of `busbar.probe()`. */
      readonly code: string
      /** ms until asking again can help; left out when no deadline is known. */
      readonly retryAfterMs?: number
    }
)

/** How a job ended, as far as its queue knows. */
export type JobEnd =
  /** `worker`: the process that made it. */
  | { readonly kind: 'returned'; readonly value: unknown; readonly worker: string }
  /** The workers that had it ended before it did. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The queue was emptied, or so many jobs ended since that its result is no longer kept. */
  | { readonly kind: 'gone' }

/** A job as it is put into a queue. */
export interface NamedJob {
  readonly name: string
  /**
   * Bears the time of the claim: to add it twice is harmless, and one that a killed worker still holds is not in the way of
   * the next turn. `~` is no letter of a provider's id; the queue gives whole numbers and colons meanings of its own.
   */
  readonly id: string
  /** Before all that waits. */
  readonly first: boolean
  readonly data: ProbeJob
}

/** Jobs of what was claimed, by what they need: it names the queue. */
export function jobsOf({ atMs, claimed }: Pick<Claims, 'atMs' | 'claimed'>): ReadonlyMap<string, NamedJob[]> {
  const groups = new Map<string, { needs: string; why: ProbeReason; providers: [string, number][] }>()
  for (const { id, intervalMs, needs, why } of claimed) {
    const key = `${why} ${needs}`
    const group = groups.get(key) ?? { needs, why, providers: [] }
    groups.set(key, group)
    group.providers.push([id, intervalMs])
  }
  const jobs = new Map<string, NamedJob[]>()
  for (const { needs, why, providers } of groups.values()) {
    const made = chunksOf(providers).map((chunk) => jobOf(why, atMs, chunk))
    jobs.set(needs, [...(jobs.get(needs) ?? []), ...made])
  }
  return jobs
}

export function jobOf(why: ProbeReason, at: number, providers: ProbeJob['providers']): NamedJob {
  const ids = providers.map(([id]) => id)
  return {
    name: `${why} ${ids.join(', ')}`,
    id: `${why}~${encode(ids[0] ?? '')}~at${at}`,
    first: why !== 'scheduled',
    data: { do: 'probe', why, at, providers },
  }
}

/** One probe that a caller asked for, and waits for until `notAfterMs`. Each request is a job of its own. */
export function jobByHand(
  [id, intervalMs]: ProbeJob['providers'][number],
  { at, notAfterMs }: { readonly at: number; readonly notAfterMs: number },
): NamedJob {
  const job = jobOf('by_hand', at, [[id, intervalMs]])
  return { ...job, id: `${job.id}~${randomUUID()}`, data: { ...job.data, notAfterMs } }
}

/** The record in what a job by hand returned; undefined when it is none. */
export function recordIn(returned: unknown): ProbeRecord | undefined {
  const [record] = Array.isArray(returned) ? (returned as readonly unknown[]) : []
  if (typeof record !== 'object' || record === null || !('id' in record)) return undefined
  const known = 'skipped' in record ? 'code' in record : 'status' in record && isHealthStatus(record.status)
  return known ? (record as ProbeRecord) : undefined // the fields that tell its kinds apart are there
}

/** Few are a job each, so that they are shared; many are chunks of about the same size, so that they cost less. */
function chunksOf<T>(items: readonly T[]): T[][] {
  const count = items.length < CHUNK ? items.length : Math.ceil(items.length / CHUNK)
  return Array.from({ length: count }, (_, i) =>
    items.slice(Math.floor((i * items.length) / count), Math.floor(((i + 1) * items.length) / count)),
  )
}

const CHUNK = 8

const encode = (id: string): string => id.replaceAll(':', '~')
