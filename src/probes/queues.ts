import type { Schedule } from '../model/ports.js'
import { ProbeQueue, type ProbeJob, type QueueConnection, type QueueJob } from './queue.js'

export interface ProbeQueuesOptions {
  /** Says which shards there are. */
  readonly schedule: Pick<Schedule, 'prefixes' | 'shardOf'>
  /** `name`: which connection it is, for people who read the log. */
  readonly openConnection: (name: string) => QueueConnection
  /** Jobs that this process runs at once, in all queues together. */
  readonly concurrency: number
  readonly process: (job: QueueJob, shard: number) => Promise<void>
  readonly onError: (error: Error) => void
}

/** The queues of a fleet, one a shard. */
export class ProbeQueues {
  readonly #queues: readonly ProbeQueue[]
  readonly #schedule: Pick<Schedule, 'shardOf'>

  constructor({ schedule, openConnection, concurrency, process, onError }: ProbeQueuesOptions) {
    const share = Math.ceil(concurrency / schedule.prefixes.length)
    this.#schedule = schedule
    this.#queues = schedule.prefixes.map(
      (prefix, shard) =>
        new ProbeQueue({
          prefix,
          connection: openConnection(`probe queue ${prefix}`),
          concurrency: share,
          process: (job) => process(job, shard),
          onError,
        }),
    )
  }

  #at(shard: number): ProbeQueue {
    const queue = this.#queues[shard]
    if (queue === undefined) throw new RangeError(`there is no probe queue ${shard}`)
    return queue
  }

  /** Begins to take jobs. */
  run(): void {
    for (const queue of this.#queues) queue.run()
  }

  /** Sees to the ticks that put one process on duty for a shard. */
  repeatDuty(shard: number, everyMs: number): Promise<void> {
    return this.#at(shard).repeat('duty', everyMs, { do: 'duty' })
  }

  /** Asks for another process on duty for a shard, now. */
  invite(shard: number): Promise<void> {
    return this.#at(shard).handOn('more', { do: 'duty', handed: true })
  }

  /** Sees to a pass over the whole schedule, by one process of the fleet. */
  repeatReconciling(everyMs: number): Promise<void> {
    return this.#at(0).repeat('reconcile', everyMs, { do: 'reconcile' })
  }

  /** Asks for one such pass soon. */
  reconcile(): Promise<void> {
    return this.#at(0).add('reconcile-now', { do: 'reconcile' })
  }

  /** A probe besides those of the schedule; one of a name at a time. */
  add(name: string, job: ProbeJob, delayMs = 0): Promise<void> {
    return this.#at(this.#schedule.shardOf(job.id)).add(name, job, delayMs)
  }

  /** A probe for another process, at once; see `ProbeQueue.handOn`. */
  handOn(name: string, job: ProbeJob): Promise<void> {
    return this.#at(this.#schedule.shardOf(job.id)).handOn(name, job)
  }

  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()))
  }
}
