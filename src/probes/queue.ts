import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker, type ConnectionOptions } from 'bullmq'

/**
 * The engine of the probes: ticks that put one process on duty, and jobs for what is to be done once by whoever is free.
 * One queue a shard, one worker a process. The only file that knows BullMQ, so that it can be replaced by rewriting this
 * one.
 *
 * Its job schedulers are soft state. They go without a word when Redis is wiped, a worker that dies between taking a tick
 * and planning the next leaves a scheduler stuck until the tick counts as stalled, and its time base is the worker's own
 * clock. So whoever uses this says again what should be repeated: that revives what is stuck, and changes nothing where it
 * is so already. When each provider is due is not in here, but in the schedule, by Redis's clock.
 */
export interface QueueOptions {
  /** Of its keys; a hash tag, so that they share a slot of a Cluster. */
  readonly prefix: string
  /** A client that waits for Redis as long as it takes; the queue duplicates it, and closes both. */
  readonly connection: QueueConnection
  readonly concurrency: number
  /** Must not reject. */
  readonly process: (job: QueueJob) => Promise<void>
  readonly onError: (error: Error) => void
}

/** An ioredis client, as far as this file needs to know it. */
export type QueueConnection = ConnectionOptions & { readonly status: string; disconnect(): void }

/**
 * `duty`: be on duty until the next; `handed`: another process asked for it. `reconcile`: see to it that the schedule is as
 * it should be.
 */
export type QueueJob =
  { readonly do: 'duty'; readonly handed?: true } | { readonly do: 'reconcile' } | ProbeJob

/** A probe besides those of the schedule. */
export interface ProbeJob {
  readonly do: 'probe'
  readonly id: string
  /** `tick`: of the schedule, passed on. `recovery`: the cooldown of an open circuit ends. */
  readonly why: 'tick' | 'recovery'
  /** Of the circuit that a recovery is for: when another is in force, somebody was faster. */
  readonly generation?: number
  /** How many workers have passed it on, because they could not run it. */
  readonly hops?: number
}

/** A dead worker's tick is taken up by another within twice this. All workers of a queue need the same. */
const STALLED_MS = 2_000
/** Nothing of BullMQ's own waits longer than this for Redis or for a new job, ms. */
const PATIENCE_MS = 2_000
/** So often connections are cut at a close, `PATIENCE_MS` apart, before it gives up waiting. */
const MAX_ROUNDS = 4
/** Those who wait for a job have so long to take what is handed on, ms. */
const HAND_MS = 50
/** A queue that runs for ever keeps no more of its events than this. */
const MAX_EVENTS = 100

export class ProbeQueue {
  readonly #queue: Queue<QueueJob>
  readonly #worker: Worker<QueueJob>
  readonly #connection: QueueConnection
  readonly #underway = new Set<Promise<void>>()

  constructor({ prefix, connection, concurrency, process, onError }: QueueOptions) {
    const shared = { connection, prefix }
    this.#connection = connection
    this.#queue = new Queue(NAME, { ...shared, streams: { events: { maxLen: MAX_EVENTS } } })
    this.#worker = new Worker(NAME, (job) => this.#track(process(job.data)), {
      ...shared,
      autorun: false,
      concurrency,
      lockDuration: STALLED_MS,
      stalledInterval: STALLED_MS,
      // A tick that kills its worker again and again is a fault of the worker, not of the tick.
      maxStalledCount: 3,
      drainDelay: PATIENCE_MS / 1_000,
      runRetryDelay: PATIENCE_MS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    this.#queue.on('error', onError)
    this.#worker.on('error', onError)
  }

  /** Begins to take ticks. */
  run(): void {
    this.#worker.run().catch((error: unknown) => this.#worker.emit('error', toError(error)))
  }

  /** A job every `everyMs`, for one worker of the fleet. */
  async repeat(name: string, everyMs: number, job: QueueJob): Promise<void> {
    const known = await this.#queue.getJobScheduler(name)
    // Whoever planned it had another time of day; as long as it stands, a new one changes nothing.
    const astray = known?.next !== undefined && known.next > Date.now() + 2 * everyMs + CLOCKS_APART_MS
    if (astray) await this.#queue.removeJobScheduler(name)
    await this.#queue.upsertJobScheduler(name, { every: everyMs }, { name: JOB, data: job })
  }

  /** A job once, after `delayMs`. While one of the same name waits, or runs, another is the same. */
  async add(name: string, job: QueueJob, delayMs = 0): Promise<void> {
    await this.#queue.add(JOB, job, { jobId: encodeName(name), delay: Math.max(0, Math.ceil(delayMs)) })
  }

  /**
   * A job at once, for another worker. This queue gives the next job to whoever ends one, so it resolves when those who
   * wait for a job have had the time to take it: the job that asks ends after that.
   */
  async handOn(name: string, job: QueueJob): Promise<void> {
    await this.add(name, job)
    await sleep(HAND_MS)
  }

  /** Takes no more ticks, lets those under way end, and closes every connection, also while Redis is away. */
  async close(): Promise<void> {
    await this.#worker.pause(true)
    await Promise.all(this.#underway)
    const blocking = await settled(Promise.resolve(this.#worker.getBackend().blockingClient))
    const reachable = this.#connection.status === 'ready' && blocking?.status === 'ready'
    // Unforced it hands the ended jobs back, for which it needs Redis.
    const closed = this.#worker.close(!reachable).then(
      () => true,
      () => true,
    )
    // Where Redis is frozen it would wait for ever, and connect again after a disconnect: so more than once.
    for (let round = 0; round < MAX_ROUNDS && (await settled(closed)) !== true; round += 1) {
      disconnect(blocking)
      disconnect(this.#connection)
    }
    await settled(this.#queue.close())
    disconnect(blocking)
    disconnect(this.#connection)
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#underway.add(work)
    await work.finally(() => this.#underway.delete(work))
  }
}

const NAME = 'probes'
const JOB = 'probe'

/** BullMQ gives meaning to colons in ids; `~` is no letter of a provider's id. */
const encodeName = (name: string): string => name.replaceAll(':', '~')

/** Clocks of one fleet are this close, ms; beyond it a plan is mended. */
const CLOCKS_APART_MS = 5_000

/** Once only: a second disconnect would leave a timer of ioredis behind. */
function disconnect(client: Pick<QueueConnection, 'status' | 'disconnect'> | undefined): void {
  if (client !== undefined && client.status !== 'end') client.disconnect()
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** What `work` gives, or undefined when it fails or takes longer than `PATIENCE_MS`. */
async function settled<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined)
  })
  try {
    return await Promise.race([work.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}
