import type { Claims, ProbeQueueState, ProbeReason, Schedule } from '../model/ports/schedule.js'
import { MAX_WAITING_JOBS } from './planner.js'
import { jobsOf, type NamedJob, type QueueJob } from './probe-job.js'
import type { TakingSlots } from './probe-slots.js'
import { disconnect, ProbeQueue, ProbeQueueWorker, type QueueConnection } from './bullmq-queue.js'

export interface ProbeQueuesOptions {
  readonly schedule: Schedule
  /** `name`: which connection it is, for people who read the log. */
  readonly openConnection: (name: string) => QueueConnection
  /** What this process registered: it takes from the queues of these names too. */
  readonly registered: readonly string[]
  readonly workerId: string
  readonly concurrency: number
  readonly slots: TakingSlots
  /** `shard`: undefined for a queue of a name. */
  readonly process: (job: QueueJob, again: boolean, shard: number | undefined) => Promise<unknown>
  readonly onError: (error: Error) => void
}

interface Shard {
  readonly connection: QueueConnection
  readonly queue: ProbeQueue
}

/** The queues of a fleet: one a shard, which all probe workers take from, and one for each name that a worker registered. */
export class ProbeQueues {
  readonly #options: ProbeQueuesOptions
  readonly #shards: readonly Shard[]
  readonly #names = new Map<string, ProbeQueue>()
  /** Jobs that waited in the queue of each of these needs when this process last looked, and those that it has added since. */
  readonly #waiting = new Map<string, number>()
  readonly #workers: readonly ProbeQueueWorker[]

  constructor(options: ProbeQueuesOptions) {
    const { schedule, openConnection, registered, workerId, concurrency, slots, process, onError } = options
    this.#options = options
    const name = schedule.queueName('')
    this.#shards = schedule.prefixes.map((prefix) => {
      const connection = openConnection(`probe queue ${prefix}`)
      return { connection, queue: new ProbeQueue({ name, prefix, connection, onError }) }
    })
    const shared = { workerId, concurrency, slots, onError }
    this.#workers = [
      ...this.#shards.map(({ connection }, shard) => {
        const prefix = schedule.prefixes[shard] ?? ''
        return new ProbeQueueWorker({
          ...{ ...shared, name, prefix, connection },
          process: (job, again) => process(job, again, shard),
        })
      }),
      ...registered.map(
        (needs) =>
          new ProbeQueueWorker({
            ...{ ...shared, name: schedule.queueName(needs) },
            prefix: schedule.namesPrefix,
            connection: this.#at(0).connection,
            process: (job, again) => process(job, again, undefined),
          }),
      ),
    ]
  }

  #at(shard: number): Shard {
    const found = this.#shards[shard]
    if (found === undefined) throw new RangeError(`there is no probe queue ${shard}`)
    return found
  }

  /** Of a name, with the connection of the first shard: only workers need connections of their own. */
  #named(needs: string): ProbeQueue {
    const { schedule, onError } = this.#options
    const known = this.#names.get(needs)
    if (known !== undefined) return known
    const { connection } = this.#at(0)
    const options = { name: schedule.queueName(needs), prefix: schedule.namesPrefix, connection, onError }
    const queue = new ProbeQueue(options)
    this.#names.set(needs, queue)
    return queue
  }

  /** Begins to take jobs. */
  run(): void {
    for (const worker of this.#workers) worker.run()
  }

  /** Sees to the ticks that make one process the planner of a shard. True when they were gone, or stuck. */
  repeatTick(shard: number, everyMs: number, late: boolean): Promise<boolean> {
    return this.#at(shard).queue.repeat('plan', everyMs, { do: 'plan' }, late)
  }

  /** Sees to a pass over the whole schedule, by one process of the fleet. True as with ticks. */
  repeatReconciling(everyMs: number): Promise<boolean> {
    return this.#at(0).queue.repeat('reconcile', everyMs, { do: 'reconcile' })
  }

  /** Asks for one such pass soon. */
  reconcile(): Promise<void> {
    return this.#at(0).queue.addOnce('reconcile-now', { do: 'reconcile' })
  }

  /** Puts what was claimed into the queues. Answers the providers that lost their turn: the queue of their name takes nothing. */
  async add(shard: number, claims: Claims): Promise<readonly LostTurn[]> {
    const lost = await Promise.all(
      [...jobsOf(claims)].map(async ([needs, jobs]): Promise<LostTurn[]> => {
        const problem = needs === '' ? undefined : await this.#problemOf(needs)
        if (problem !== undefined) return lostTurns(jobs, problem)
        await (needs === '' ? this.#at(shard).queue : this.#named(needs)).addAll(jobs)
        if (needs !== '') this.#waiting.set(needs, (this.#waiting.get(needs) ?? 0) + jobs.length)
        return []
      }),
    )
    return lost.flat()
  }

  /** Code whose queues are full, of that which this process has made jobs for, while workers take them. */
  async fullCodes(): Promise<readonly string[]> {
    const full = [...this.#waiting].flatMap(([needs, waiting]) => (waiting >= MAX_WAITING_JOBS ? needs : []))
    const states = await Promise.all(full.map((needs) => this.#look(needs)))
    return states
      .filter(({ hasWorker, paused }) => hasWorker !== false && !paused)
      .filter(isFull)
      .map(({ needs }) => needs)
  }

  /** Why a queue of a name takes no jobs. */
  async #problemOf(needs: string): Promise<string | undefined> {
    const { queue, hasWorker, paused } = await this.#look(needs)
    if (paused) return `${queue} is paused`
    return hasWorker === false ? `no worker has registered ${needs}` : undefined
  }

  async #look(needs: string): Promise<ProbeQueueState> {
    const state = await this.#options.schedule.queueOf(needs)
    this.#waiting.set(needs, state.waiting)
    return state
  }

  /** Closes every connection, also while Redis is away. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()))
    const queues = [...this.#shards.map(({ queue }) => queue), ...this.#names.values()]
    await Promise.all(queues.map((queue) => queue.close()))
    for (const { connection } of this.#shards) disconnect(connection)
  }
}

const isFull = ({ waiting }: ProbeQueueState): boolean => waiting >= MAX_WAITING_JOBS

export interface LostTurn {
  readonly id: string
  readonly why: ProbeReason
  readonly problem: string
}

const lostTurns = (jobs: readonly NamedJob[], problem: string): LostTurn[] =>
  jobs.flatMap(({ data: { why, providers } }) => providers.map(([id]) => ({ id, why, problem })))
