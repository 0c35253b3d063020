import { DelayedError, Queue, UnrecoverableError, Worker, type Job, type JobsOptions } from 'bullmq'
import { withTimeout } from '../model/timeout.js'
import { closeQueue, closeWorker, PATIENCE_MS, type QueueConnection } from '../probes/queue-closing.js'
import type { AlertJob } from './alert-job.js'

/** The queue of one hook. What of the alerts knows BullMQ is in here. */

export interface AlertQueueOptions {
  readonly name: string
  /** Of its keys; a hash tag. */
  readonly prefix: string
  /** A client that waits for Redis as long as it takes. */
  readonly connection: QueueConnection
  readonly workerId: string
  /** The pause before the next attempt of a job that failed `attempts` times, ms. */
  readonly pauseMs: (attempts: number, error: Error | undefined) => number
  /** `last`: there is no further attempt. Answers what became of it, or that it is to come again. */
  readonly process: (job: AlertJob, last: boolean) => Promise<string | { readonly againInMs: number }>
  readonly onError: (error: Error) => void
}

/** A dead worker's job is taken up by another within twice this, ms. All workers of a queue need the same. */
const STALLED_MS = 5_000
/** A queue that runs for ever keeps no more of its events than this. */
const MAX_EVENTS = 100
/** Attempts of a message: with pauses of 5 s, doubled up to 10 minutes, 6 hours. */
export const MAX_ATTEMPTS = 42
/** A job that is done is kept for an hour, so that a process that is late does not add it again; the rest for people who look. */
const KEPT = { age: 3_600, count: 2_000 }
const NOT_KEPT = { removeOnComplete: true, removeOnFail: true }
const OPTIONS: JobsOptions = {
  attempts: MAX_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: KEPT,
  removeOnFail: KEPT,
  stackTraceLimit: 1,
}
/** Events that wait and are told together with another. */
const MAX_TOGETHER = 1_000

/** The job under way is waited for at a close: an attempt takes 10 s at most, ms. */
const LAST_JOB_MS = 12_000

/** Makes a job fail for good. */
export const forGood = (message: string): Error => new UnrecoverableError(message)

export class AlertQueue {
  readonly #queue: Queue<AlertJob>
  readonly #worker: Worker<AlertJob>
  readonly #connection: QueueConnection
  readonly #underway = new Set<Promise<unknown>>()

  constructor({ name, prefix, connection, workerId, pauseMs, process, onError }: AlertQueueOptions) {
    this.#connection = connection
    this.#queue = new Queue(name, { connection, prefix, streams: { events: { maxLen: MAX_EVENTS } } })
    const work = async (job: Job<AlertJob>, token?: string) => {
      const answer = await this.#track(
        process(job.data, job.attemptsMade + 1 >= (job.opts.attempts ?? MAX_ATTEMPTS)),
      )
      if (typeof answer === 'string') return answer
      await job.moveToDelayed(Date.now() + answer.againInMs, token)
      throw new DelayedError()
    }
    this.#worker = new Worker(name, work, {
      ...{ connection, prefix, name: workerId },
      autorun: false,
      concurrency: 1,
      lockDuration: STALLED_MS,
      stalledInterval: STALLED_MS,
      maxStalledCount: 3,
      drainDelay: PATIENCE_MS / 1_000,
      runRetryDelay: PATIENCE_MS,
      settings: { backoffStrategy: (attempts, _type, error) => pauseMs(attempts, error) },
    })
    this.#queue.on('error', onError)
    this.#worker.on('error', onError)
  }

  /** Begins to take jobs. */
  run(): void {
    this.#worker.run().catch((error: unknown) => {
      this.#worker.emit('error', error instanceof Error ? error : new Error(String(error)))
    })
  }

  async addEvent(id: string, provider: string, delayMs: number): Promise<void> {
    await this.#queue.add(
      `event ${provider}`,
      { do: 'event', provider },
      { ...OPTIONS, jobId: id, delay: delayMs },
    )
  }

  /** Providers whose events wait to be told, or are about to be by another process. */
  async waitingProviders(): Promise<readonly string[]> {
    const jobs = await this.#queue.getJobs(['active', 'delayed', 'waiting'], 0, MAX_TOGETHER - 1)
    return jobs.flatMap(({ data }: { data: AlertJob }) => (data.do === 'event' ? data.provider : []))
  }

  /**
   * A look at all providers, soon. False while one is under way: it may be past what happened just now, so ask again. `id`: of
   * one that is made once for all who ask.
   */
  async addSweep(id = 'sweep'): Promise<boolean> {
    const once = id !== 'sweep'
    if (!once && (await this.#queue.getJobState(id)) === 'active') return false
    const kept = once ? {} : NOT_KEPT
    await this.#queue.add('sweep', { do: 'sweep' }, { ...OPTIONS, ...kept, jobId: id })
    return true
  }

  /** Sees to it that a message is sent: its job may have been lost with the process that was to add it. */
  async addDelivery(delivery: string): Promise<void> {
    const state = await this.#queue.getJobState(delivery)
    if (state === 'completed' || state === 'failed') await this.#queue.remove(delivery)
    await this.#queue.add('deliver', { do: 'deliver', delivery }, { ...OPTIONS, jobId: delivery })
  }

  /** Lets the job under way end, and closes, also while Redis is away. */
  async close(): Promise<void> {
    await this.#worker.pause(true)
    await withTimeout(Promise.allSettled(this.#underway), LAST_JOB_MS, () => undefined)
    await closeWorker(this.#worker, this.#connection)
    await closeQueue(this.#queue)
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underway.add(work)
    return work.finally(() => this.#underway.delete(work))
  }
}
