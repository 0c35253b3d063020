import { ProbeQueue, readPlans, type Plan, type ProbeJob, type QueueConnection } from './queue.js'
import { SLOTS, slotOf } from './slot.js'

/**
 * The prefix of each queue of a fleet. One queue is one slot of a Cluster, so the tags of several are chosen by the slots
 * that they come to: each queue has its own part of the slots, and masters that share the slots share the queues.
 */
export function queuePrefixes(namespace: string, count: number): string[] {
  if (count === 1) return [`{${namespace}}`]
  return Array.from({ length: count }, (_, shard) => {
    for (let i = 0; ; i += 1) {
      const tag = `${namespace}:${i}`
      if (Math.floor((slotOf(tag) * count) / SLOTS) === shard) return `{${tag}}`
    }
  })
}

export interface ProbeQueuesOptions {
  readonly prefixes: readonly string[]
  readonly openConnection: () => QueueConnection
  /** Ticks that this process runs at once, in all queues together. */
  readonly concurrency: number
  readonly process: (job: ProbeJob) => Promise<void>
  readonly onError: (error: Error) => void
}

/** All queues of a fleet as one. Every process must be told the same number of them. */
export class ProbeQueues {
  readonly #queues: readonly ProbeQueue[]

  constructor({ prefixes, openConnection, concurrency, process, onError }: ProbeQueuesOptions) {
    const share = Math.ceil(concurrency / prefixes.length)
    this.#queues = prefixes.map(
      (prefix) =>
        new ProbeQueue({ prefix, connection: openConnection(), concurrency: share, process, onError }),
    )
  }

  #of(id: string): ProbeQueue {
    const queue = this.#queues[slotOf(id) % this.#queues.length]
    if (queue === undefined) throw new Error('there is no probe queue') // at least one, by the settings
    return queue
  }

  /** Begins to take ticks. */
  run(): void {
    for (const queue of this.#queues) queue.run()
  }

  upsert(id: string, intervalMs: number): Promise<void> {
    return this.#of(id).upsert(id, intervalMs)
  }

  /** True when there was one. A tick that waits already still comes. */
  remove(id: string): Promise<boolean> {
    return this.#of(id).remove(id)
  }

  get(id: string): Promise<Plan | undefined> {
    return this.#of(id).get(id)
  }

  async list(): Promise<Plan[]> {
    return (await Promise.all(this.#queues.map((queue) => queue.list()))).flat()
  }

  /** Some of the schedulers that are stuck. One command a queue. */
  async stuck(): Promise<string[]> {
    return (await Promise.all(this.#queues.map((queue) => queue.stuck()))).flat()
  }

  /** Some of the schedulers whose next tick is furthest off. One command a queue. */
  async furthest(): Promise<{ id: string; inMs: number }[]> {
    return (await Promise.all(this.#queues.map((queue) => queue.furthest()))).flat()
  }

  /** See `ProbeQueue.add`. */
  add(name: string, job: ProbeJob, delayMs = 0): Promise<void> {
    return this.#of(job.id).add(name, job, delayMs)
  }

  /** `perSecond`: how many ticks the fleet may begin in a second; each queue has its share. */
  async limit(perSecond: number): Promise<void> {
    const perTurn = Math.ceil((perSecond * LIMIT_TURN_MS) / 1_000 / this.#queues.length)
    await Promise.all(
      this.#queues.map((queue) => queue.limit(Math.max(MIN_PER_TURN, perTurn), LIMIT_TURN_MS)),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()))
  }
}

/** A limit counts in turns of this length, ms: in turns of a second, two bursts could meet. */
const LIMIT_TURN_MS = 100
/** A small fleet may begin this many in a turn, whatever its pace is. */
const MIN_PER_TURN = 5

/** The schedulers that exist, for one who only looks; undefined when a queue does not answer. Closes its connections. */
export async function readAllPlans(
  prefixes: readonly string[],
  openConnection: () => QueueConnection,
): Promise<Plan[] | undefined> {
  const plans = await Promise.all(prefixes.map((prefix) => readPlans(prefix, openConnection())))
  return plans.some((found) => found === undefined) ? undefined : plans.flatMap((found) => found ?? [])
}
