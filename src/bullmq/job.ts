import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'

/**
 * A job of BullMQ as far as `guard` needs to know it. BullMQ is never imported: it is the user's own copy, whichever version,
 * that the job comes from, and its structure says what it can do.
 */
export interface GuardedJob {
  readonly id?: string | undefined
  readonly queueName: string
  /** The job's own content. As BullMQ has it: a function whose job has no type of its own is given this one. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data?: any
  /** When it was added, ms since 1970. */
  readonly timestamp: number
  readonly opts: { readonly delay?: number | undefined }
  /** Attempts that it spent. */
  readonly attemptsMade: number
  /** How often it was given to a processor, this time included; deferrals count here, and are no attempts. */
  readonly attemptsStarted: number
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

/** @throws ArgumentError for what is no job of a version that can defer. */
export function checkJob(job: unknown): void {
  const found = fieldsOf(job)
  const { moveToDelayed, attemptsMade, attemptsStarted } = found
  if (typeof moveToDelayed === 'function' && isNumber(attemptsMade) && isNumber(attemptsStarted)) return
  throw new ArgumentError(
    'job',
    `job: expected a job of BullMQ 5.73.5 or later, got ${show(found['id'] ?? job)}`,
  )
}

/** The worker that runs the job. A processor in a process of its own (a sandbox) is not given it: undefined. */
export const workerOf = (job: object): object | undefined => {
  const worker: unknown = Reflect.get(job, 'queue')
  return isObject(worker) ? worker : undefined
}

/** The limit after which BullMQ fails a job for having been started too often, also where it was only deferred; 0: none. */
export function startLimitOf(worker: object | undefined): number {
  const limit = fieldsOf(fieldsOf(worker)['opts'])['maxStartedAttempts']
  return isNumber(limit) ? limit : 0
}

/** Whether the worker is to take no other job now. */
export function isEnding(worker: object | undefined): boolean {
  const { isPaused, closing } = fieldsOf(worker)
  if (closing !== undefined && closing !== null) return true
  return (
    worker !== undefined && typeof isPaused === 'function' && Reflect.apply(isPaused, worker, []) === true
  )
}

/** A client of the queue's own Redis, as much of it as both major versions of BullMQ share. */
export interface JobFields {
  hget(key: string, field: string): Promise<string | null>
  hset(key: string, fields: Record<string, string>): Promise<unknown>
}

/** The way to the job's hash in Redis; undefined in a sandbox, and over a backend that is no Redis. */
export async function jobHashOf(
  job: GuardedJob,
): Promise<{ readonly redis: JobFields; readonly key: string } | undefined> {
  const worker = workerOf(job)
  const { client = fieldsOf(fieldsOf(worker)['backend'])['client'], toKey } = fieldsOf(worker)
  const redis: unknown = await client
  if (!isJobFields(redis) || typeof toKey !== 'function') return undefined
  const key: unknown = Reflect.apply(toKey, worker, [job.id])
  return typeof key === 'string' ? { redis, key } : undefined
}

const isJobFields = (value: unknown): value is JobFields =>
  typeof fieldsOf(value)['hget'] === 'function' && typeof fieldsOf(value)['hset'] === 'function'

const isNumber = (value: unknown): value is number => typeof value === 'number'
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Fields of whatever it is; those of no object are undefined. */
export const fieldsOf = (value: unknown): Record<string, unknown> =>
  isObject(value) ? (value as Record<string, unknown>) : {} // read only, and each field is checked where it is used
