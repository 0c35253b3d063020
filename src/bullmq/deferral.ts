import type { ProviderCore } from '../client/provider-core.js'
import type { GuardSettings } from '../config/guard-options.js'
import { isBusbarError, type GroupAttempt, type GroupExhaustedError } from '../model/errors.js'
import { OUTCOMES, REFUSAL_CODES } from '../model/words.js'
import { isEnding, jobHashOf, workerOf, type GuardedJob } from './job.js'

/** Where nothing ends a refusal by itself, the job is tried again after this long, ms. */
const RETRY_UNKNOWN_MS = 30_000
/** The widest spread, ms. */
const MAX_SPREAD_MS = 60_000
/** More doublings of a spread of 1 ms exceed the widest. */
const MAX_DOUBLINGS = 16

/** A job in the hands of its processor, and the provider that it needs. */
export interface GuardedRun<J extends GuardedJob> {
  readonly core: ProviderCore
  readonly job: J
  readonly token: string | undefined
}

/** The same of a job whose provider could not be found. */
type Deferrable = Omit<GuardedRun<GuardedJob>, 'core'> & { readonly core: ProviderCore | undefined }

export interface Refusal {
  /** ms; null where nothing ends it by itself. */
  readonly retryAfterMs: number | null
}

/** The refusal that an error is; undefined for any other error. */
export function refusalIn(error: unknown): Refusal | undefined {
  if (!isBusbarError(error)) return undefined
  // This process is about to end: it says nothing of the job, and another process can run it.
  if (error.code === 'busbar_closed') return { retryAfterMs: null }
  if (isBusbarError(error, 'group_exhausted')) return refusalOfGroup(error)
  if (!(REFUSAL_CODES as readonly string[]).includes(error.code)) return undefined
  const retryAfterMs = 'retryAfterMs' in error ? error.retryAfterMs : null
  return { retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : null }
}

/**
 * Where a member refuses, waiting for it can help. Where every member was called and failed, and none refuses now, the job may
 * be what fails: deferred, it would fail at all of them for a day instead of for its attempts.
 */
function refusalOfGroup({ attempts, retryAfterMs }: GroupExhaustedError): Refusal | undefined {
  const isOwnFailure = attempts.length > 0 && attempts.every(wasCalled)
  return isOwnFailure && retryAfterMs === null ? undefined : { retryAfterMs }
}

/** `throttled` is said of a refusal too, and it is worth waiting for either way. */
const wasCalled = (attempt: GroupAttempt): boolean =>
  'error' in attempt ||
  (attempt.code !== 'throttled' && (OUTCOMES as readonly string[]).includes(attempt.code))

/**
 * Moves the job to delayed, which spends no attempt, and gives the error by which BullMQ knows that it was moved. Undefined
 * where the job has been deferred for `maxDeferMs`, or BullMQ did not take the move: then it fails as any job does.
 */
export async function defer(
  { core, job, token }: Deferrable,
  refusal: Refusal,
  options: GuardSettings,
): Promise<Error | undefined> {
  try {
    const leftMs = options.maxDeferMs - (await deferredForMs(job))
    if (leftMs <= 0) return undefined
    const delayMs =
      Math.min(refusal.retryAfterMs ?? RETRY_UNKNOWN_MS, leftMs) + spreadOf(job, options.spreadMs)
    await job.moveToDelayed(Date.now() + Math.ceil(delayMs), token ?? tokenOf(job))
  } catch (error) {
    const about = { provider: core?.id, queue: job.queueName, job: job.id }
    core?.context.log.warn({ err: error, ...about }, 'a job could not be deferred: its attempt fails')
    return undefined
  }
  if (core === undefined) return movedError(job)
  core.context.counters.jobsDeferred += 1
  core.meter?.deferredJobs.add(job.queueName)
  return movedError(job)
}

/** Uniform, and wider with each deferral: jobs that were refused together do not come back together. */
function spreadOf({ attemptsStarted, attemptsMade }: GuardedJob, spreadMs: number): number {
  const deferrals = Math.max(0, attemptsStarted - attemptsMade - 1)
  return Math.random() * Math.min(MAX_SPREAD_MS, spreadMs * 2 ** Math.min(deferrals, MAX_DOUBLINGS))
}

/** A field of our own in the job's hash, which goes with the job: `<attempts spent>:<ms since 1970>`. */
const DEFERRED_FIELD = 'busbar_deferred'

/**
 * How long the job has been deferred since its last attempt, ms; 0 at the first time, which is written down. BullMQ keeps
 * how often a job was started, and not since when it is deferred. Where its Redis cannot be asked (a sandbox), the age of the
 * job stands for it.
 */
async function deferredForMs(job: GuardedJob): Promise<number> {
  const { attemptsMade, attemptsStarted, timestamp, opts } = job
  const before = attemptsStarted - attemptsMade > 1
  const now = Date.now()
  const hash = await jobHashOf(job)
  if (hash === undefined) return before ? now - timestamp - (opts.delay ?? 0) : 0
  const [attempts, since] = (before ? await hash.redis.hget(hash.key, DEFERRED_FIELD) : '')?.split(':') ?? []
  if (attempts === String(attemptsMade) && since !== undefined) return Math.max(0, now - Number(since))
  await hash.redis.hset(hash.key, { [DEFERRED_FIELD]: `${attemptsMade}:${now}` })
  return 0
}

function tokenOf(job: object): string | undefined {
  const token: unknown = Reflect.get(job, 'token')
  return typeof token === 'string' ? token : undefined
}

/** BullMQ knows its DelayedError by the class or by this name, which also survives the way out of a sandbox. */
class MovedToDelayed extends Error {
  override readonly name = 'DelayedError'

  constructor() {
    super('bullmq:movedToDelayed')
  }
}

/** BullMQ knows this one by its message. */
const RATE_LIMITED = 'bullmq:rateLimitExceeded'

/**
 * After a DelayedError, BullMQ 5 takes the next job also while its worker is paused or closing, so that one slot would defer
 * the whole queue, a job after the other. After the error of a rate limit it takes none. It then tries to move the job back
 * to the queue, which Redis refuses, because the job's lock went with the move; a paused worker does not report that.
 */
function movedError(job: GuardedJob): Error {
  const worker = workerOf(job)
  const chains = worker !== undefined && !('backend' in worker)
  return chains && isEnding(worker) ? new Error(RATE_LIMITED) : new MovedToDelayed()
}
