import { Queue, Worker, type ConnectionOptions, type JobSchedulerJson } from 'bullmq'
import type { Why } from './plan.js'

/**
 * The clock of the probes: one BullMQ job scheduler per provider, one worker per process. The only file that
 * knows BullMQ, so that it can be replaced by rewriting this one.
 *
 * Schedulers are soft state. They go without a word when Redis is wiped, and a worker that dies between taking a
 * tick and planning the next leaves its scheduler stuck until the tick counts as stalled, some seconds later. So
 * whoever uses this says again and again what should be scheduled (`upsert`): that revives what is stuck, and
 * changes nothing where it is so already.
 *
 * A tick only says "it is time"; that no provider is probed twice in a period is decided in Redis by `beginProbe`.
 * BullMQ's time base is the worker's own clock.
 */
export interface QueueOptions {
  /** Of its keys; a hash tag, so that they share a slot of a Cluster. */
  readonly prefix: string
  /** A client that waits for Redis as long as it takes; the queue duplicates it, and closes both. */
  readonly connection: QueueConnection
  readonly concurrency: number
  /** Must not reject. */
  readonly process: (job: ProbeJob) => Promise<void>
  readonly onError: (error: Error) => void
}

/** An ioredis client, as far as this file needs to know it. */
export type QueueConnection = ConnectionOptions & { readonly status: string; disconnect(): void }

/** One scheduler. */
export interface Plan {
  readonly id: string
  readonly intervalMs: number
  /** Its next tick should have been taken by now: whoever took it died before the one after was planned. */
  readonly stuck: boolean
  /** Its next tick is further off than any interval allows: whoever planned it had another time. */
  readonly astray: boolean
}

/** A probe that is to run. A scheduler's has an id alone. */
export interface ProbeJob {
  readonly id: string
  /** Default `tick`. */
  readonly why?: Why
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
/** A queue that runs for ever keeps no more of its events than this. */
const MAX_EVENTS = 100

export class ProbeQueue {
  readonly #queue: Queue<ProbeJob>
  readonly #worker: Worker<ProbeJob>
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

  /** A tick every `intervalMs`, the first within one interval. Repeated with the same interval it changes nothing. */
  async upsert(id: string, intervalMs: number): Promise<void> {
    const every = { every: intervalMs, offset: offsetOf(id, intervalMs) }
    await this.#queue.upsertJobScheduler(encodeId(id), every, { name: JOB, data: { id } })
  }

  /** True when there was one. A tick that waits already still comes. */
  remove(id: string): Promise<boolean> {
    return this.#queue.removeJobScheduler(encodeId(id))
  }

  async get(id: string): Promise<Plan | undefined> {
    const scheduler = await this.#queue.getJobScheduler(encodeId(id))
    return scheduler === undefined ? undefined : planOf(scheduler)
  }

  async list(): Promise<Plan[]> {
    return (await this.#queue.getJobSchedulers(0, -1)).map(planOf)
  }

  /** Some of the schedulers that are stuck. One command. */
  async stuck(): Promise<string[]> {
    const earliest = await this.#queue.getBackend().getJobSchedulersRange(0, MAX_STUCK - 1, true)
    return earliest.flatMap((key, i) =>
      i % 2 === 0 && isLate(Number(earliest[i + 1])) ? [decodeId(key)] : [],
    )
  }

  /** Some of the schedulers whose next tick is furthest off, and how far. One command. */
  async furthest(): Promise<{ id: string; inMs: number }[]> {
    const latest = await this.#queue.getBackend().getJobSchedulersRange(0, MAX_STUCK - 1, false)
    return latest.flatMap((key, i) =>
      i % 2 === 0 ? [{ id: decodeId(key), inMs: Number(latest[i + 1]) - Date.now() }] : [],
    )
  }

  /**
   * A probe besides those of the scheduler, after `delayMs`. While one of the same name waits, or runs, another is the
   * same.
   */
  async add(name: string, job: ProbeJob, delayMs = 0): Promise<void> {
    await this.#queue.add(JOB, job, { jobId: encodeId(name), delay: Math.max(0, Math.ceil(delayMs)) })
  }

  /** Lets the whole fleet take no more than `max` ticks in each `perMs`: after an outage all would be due at once. */
  async limit(max: number, perMs: number): Promise<void> {
    await this.#queue.setGlobalRateLimit(max, perMs)
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
const encodeId = (id: string): string => id.replaceAll(':', '~')
const decodeId = (key: string): string => key.replaceAll('~', ':')

const planOf = ({ key, every, next }: JobSchedulerJson<ProbeJob>): Plan => ({
  id: decodeId(key),
  intervalMs: Number(every),
  stuck: isLate(Number(next)),
  astray: isAstray(Number(next) - Date.now(), Number(every)),
})

/** Whether a tick in `inMs` is further off than an interval allows. */
export const isAstray = (inMs: number, intervalMs: number): boolean => inMs > 2 * intervalMs + FAR_MS

/** A tick is taken some 100 ms late at most, at Redis's default `hz`, unless all workers are busy. */
const STUCK_AFTER_MS = 250
const MAX_STUCK = 16
/** Clocks of one fleet are this close, ms; beyond it a plan is mended. */
const FAR_MS = 5_000

const isLate = (nextAt: number): boolean => nextAt < Date.now() - STUCK_AFTER_MS

/**
 * Where in its interval a provider's ticks fall: the same in every process, spread over providers, so that a fleet
 * of providers is not probed in one burst. 1 to `intervalMs` - 1, because BullMQ takes 0 for "none given".
 * FNV-1a.
 */
export function offsetOf(id: string, intervalMs: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return 1 + (hash % (intervalMs - 1))
}

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

/** The schedulers that exist, for one who only looks; undefined when the queue does not answer. Closes the connection. */
export async function readPlans(prefix: string, connection: QueueConnection): Promise<Plan[] | undefined> {
  const queue = new Queue<ProbeJob>(NAME, { connection, prefix, skipMetasUpdate: true })
  queue.on('error', () => undefined) // its connection tells of them
  try {
    return await settled(queue.getJobSchedulers(0, -1).then((schedulers) => schedulers.map(planOf)))
  } finally {
    await settled(queue.close())
    disconnect(connection)
  }
}
