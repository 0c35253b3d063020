import { Queue, Worker, type Job } from 'bullmq'
import type { JobEnd, NamedJob, QueueJob } from './probe-job.js'
import type { TakingSlots } from './probe-slots.js'
import { closeQueue, closeWorker, PATIENCE_MS, type QueueConnection } from './queue-closing.js'

export { disconnect, type QueueConnection } from './queue-closing.js'

/**
 * The engine of the probes: jobs that any free worker takes, and jobs that are repeated. The only file that knows BullMQ,
 * so that it can be replaced by rewriting this one.
 *
 * Its job schedulers are soft state. They go without a word when Redis is wiped or its sets are cleared, a worker that dies
 * between taking a tick and planning the next leaves a scheduler stuck until the tick counts as stalled, and its time base
 * is the worker's own clock. So the planner says again what should be repeated: that revives what is stuck, and changes
 * nothing where it is so already. When each provider is due is not in here, but in the schedule, by Redis's clock.
 */
export interface QueueOptions {
  readonly name: string
  /** Of its keys; a hash tag, so that they share a slot of a Cluster. */
  readonly prefix: string
  /** A client that waits for Redis as long as it takes. */
  readonly connection: QueueConnection
  readonly onError: (error: Error) => void
}

export interface QueueWorkerOptions extends QueueOptions {
  /** The process that it is of, for people who look at the queue. */
  readonly workerId: string
  /** Jobs that it processes at once at most. */
  readonly concurrency: number
  readonly slots: TakingSlots
  /** Must not reject. What it answers is kept as the job's result. `again`: another worker had it, and may be at it still. */
  readonly process: (job: QueueJob, again: boolean) => Promise<unknown>
}

/** A dead worker's job is taken up by another within twice this. All workers of a queue need the same. */
const STALLED_MS = 2_000
/** A queue that runs for ever keeps no more of its events than this. */
const MAX_EVENTS = 100
/** Results of probes that are kept, for people and tools that look at the queue. */
const KEPT = { count: 100 }
/** Ticks would leave no room for them. */
const NOT_KEPT = { removeOnComplete: true, removeOnFail: true }

/** One queue, to put jobs into. */
export class ProbeQueue {
  readonly #queue: Queue<QueueJob>

  constructor({ name, prefix, connection, onError }: QueueOptions) {
    const streams = { events: { maxLen: MAX_EVENTS } }
    this.#queue = new Queue(name, { connection, prefix, streams })
    this.#queue.on('error', onError)
  }

  /**
   * A job every `everyMs`, for one worker of the fleet. True when it was not planned, or stuck: `late`, and with a worker
   * that does not end it.
   */
  async repeat(name: string, everyMs: number, job: QueueJob, late = false): Promise<boolean> {
    const known = await this.#queue.getJobScheduler(name)
    const next = known?.next ?? 0
    // Planned by a worker with another time of day; as long as it stands, a new one changes nothing.
    const astray = next > Date.now() + 2 * everyMs + CLOCKS_APART_MS
    const id = `repeat:${name}:${next}`
    const state = await this.#queue.getJobState(id)
    const gone = state === 'unknown'
    if (astray || gone) await this.#queue.removeJobScheduler(name)
    // The sets of the queue were cleared; the job itself may be left.
    if (gone) await this.#queue.remove(id)
    await this.#queue.upsertJobScheduler(name, { every: everyMs }, { name, data: job, opts: NOT_KEPT })
    return gone || astray || (late && state === 'active')
  }

  /** A job once, at once. While one of the same name waits, or runs, another is the same. */
  async addOnce(name: string, job: QueueJob): Promise<void> {
    await this.#queue.add(name, job, { ...NOT_KEPT, jobId: name })
  }

  async addAll(jobs: readonly NamedJob[]): Promise<void> {
    await this.#queue.addBulk(
      jobs.map(({ name, id, first, data }) => ({ name, data, opts: { jobId: id, lifo: first } })),
    )
  }

  /** How a job ended; undefined while it waits, or is under way. */
  async endOf(id: string): Promise<JobEnd | undefined> {
    const job = await this.#queue.getJob(id)
    if (job === undefined) return { kind: 'gone' }
    if (job.finishedOn === undefined) return undefined
    const { failedReason, processedBy: worker = '' } = job
    // Set where it failed alone, whatever its type says.
    if (failedReason) return { kind: 'failed', reason: failedReason }
    return { kind: 'returned', value: job.returnvalue, worker }
  }

  /** Takes a job back that no worker has had. False when one has, or it is gone. */
  async takeBack(id: string): Promise<boolean> {
    const job = await this.#queue.getJob(id)
    // A stalled job is not locked either, and its worker had begun it.
    if (job === undefined || job.processedOn !== undefined) return false
    return (await this.#queue.remove(id)) === 1
  }

  async close(): Promise<void> {
    await closeQueue(this.#queue)
  }
}

/**
 * Takes jobs from one queue while fewer probes are under way in this process than there are slots, whichever queues they
 * came from. BullMQ counts jobs alone.
 */
export class ProbeQueueWorker {
  readonly #worker: SlotWorker
  readonly #connection: QueueConnection
  readonly #underway = new Set<Promise<unknown>>()

  constructor(options: QueueWorkerOptions) {
    const { name, prefix, connection, workerId, concurrency, slots, process, onError } = options
    this.#connection = connection
    const work = (job: Job<QueueJob>) => this.#track(process(job.data, job.stalledCounter > 0))
    this.#worker = new SlotWorker(slots, name, work, {
      ...{ connection, prefix, name: workerId },
      autorun: false,
      concurrency,
      lockDuration: STALLED_MS,
      stalledInterval: STALLED_MS,
      // A job that kills its worker again and again is a fault of the worker, not of the job.
      maxStalledCount: 3,
      drainDelay: PATIENCE_MS / 1_000,
      runRetryDelay: PATIENCE_MS,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    })
    this.#worker.on('error', onError)
  }

  /** Begins to take jobs. */
  run(): void {
    this.#worker.run().catch((error: unknown) => this.#worker.emit('error', toError(error)))
  }

  /** Takes no more jobs, and lets those under way end. */
  async pause(): Promise<void> {
    await this.#worker.pause(true)
    await Promise.all(this.#underway)
  }

  /** Closes its blocking connection, also while Redis is away. */
  async close(): Promise<void> {
    await this.pause()
    await closeWorker(this.#worker, this.#connection)
  }

  async #track(work: Promise<unknown>): Promise<unknown> {
    this.#underway.add(work)
    return work.finally(() => this.#underway.delete(work))
  }
}

/** A worker of BullMQ that fetches a job only when there is a slot for a probe. */
class SlotWorker extends Worker<QueueJob> {
  readonly #slots: TakingSlots
  /** Jobs that it has fetched and not begun: its loop fetches several in a row. */
  #fetched = 0

  constructor(slots: TakingSlots, ...args: ConstructorParameters<typeof Worker<QueueJob>>) {
    super(...args)
    this.#slots = slots
  }

  /**
   * Its loop begins what it has fetched once a fetch answers nothing. Waiting for a slot while such a job is left would be
   * waiting for ever; with none left, all that it took is under way, and ends.
   */
  protected override async moveToActive(token: string, name?: string): Promise<Job<QueueJob>> {
    while (!this.#slots.free && this.#fetched === 0) await this.#slots.ended()
    const stops = this.paused || this.closing !== undefined
    // BullMQ's own type leaves out that there may be no job.
    if (stops || !this.#slots.free) return undefined as unknown as Job<QueueJob>
    const fetched = this.#slots.reserve()
    let job: Job<QueueJob> | undefined
    try {
      job = await super.moveToActive(token, name)
      return job
    } finally {
      fetched(this.#take(job))
    }
  }

  /** The script that ends a job answers the next, where there is a slot for it. */
  override async processJob(job: Job<QueueJob>, token: string): Promise<Job<QueueJob> | undefined> {
    this.#fetched -= 1
    let fetched: ((probes: number) => void) | undefined
    const fetchesNext = () => {
      fetched ??= this.#slots.free ? this.#slots.reserve() : undefined
      return fetched !== undefined
    }
    let next: Job<QueueJob> | undefined
    try {
      next = (await super.processJob(job, token, fetchesNext)) ?? undefined
      return next
    } finally {
      fetched?.(this.#take(next))
    }
  }

  /** Answers how many probes it has. */
  #take(job: Job<QueueJob> | undefined): number {
    if (job === undefined) return 0
    this.#fetched += 1
    return job.data.do === 'probe' ? job.data.providers.length : 0
  }
}

/** Clocks of one fleet are this close, ms; beyond it a plan is mended. */
const CLOCKS_APART_MS = 5_000

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
