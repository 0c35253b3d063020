import type { BusbarCore } from '../client/busbar-core.js'
import { connectionErrors } from '../client/shared/log.js'
import { withTimeout } from '../model/timeout.js'
import { BusbarClosedError, RedisUnavailableError } from '../model/errors.js'
import type { Schedule } from '../model/ports/schedule.js'
import { redactError } from '../model/redact.js'
import { obstacleTo, type Obstacle } from './obstacle.js'
import { jobByHand, recordIn, type JobEnd, type NamedJob, type ProbeRecord } from './probe-job.js'
import { disconnect, ProbeQueue, type QueueConnection } from './bullmq-queue.js'

export interface ByHandOptions {
  readonly busbar: BusbarCore
  readonly schedule: Schedule
  readonly openConnection: (name: string) => QueueConnection
}

/** A probe that a worker of the fleet is to make. */
export interface ByHandProbe {
  readonly id: string
  readonly needs: string
  readonly intervalMs: number
  /** When it was asked for, by Redis's clock, ms. */
  readonly atMs: number
  /** How long its result is waited for, ms. */
  readonly timeoutMs: number
}

/** How it ended. */
export type ByHandEnd =
  | { readonly kind: 'ended'; readonly record: ProbeRecord; readonly worker: string }
  /** No worker had it, and none will. */
  | { readonly kind: 'not_taken'; readonly obstacle: Obstacle }
  /** A worker may have made it. */
  | { readonly kind: 'unknown'; readonly reason: string }

const nothing = () => undefined

interface Open {
  readonly connection: QueueConnection
  readonly queues: Map<string, ProbeQueue>
}

/**
 * Hands probes to the workers of the fleet, as jobs by hand, and waits for what they return. It asks for the job again and
 * again: BullMQ's own way to be told would cost a second connection, which blocks, and misses what happens while that is
 * opened. All the probes of a process that are under way share one connection, which is closed with the last of them.
 *
 * Each is made once at most. A job that no worker took is taken back; a worker that takes it later than somebody waits for it
 * makes no probe; what cannot be known is said.
 */
export class ByHandJobs {
  readonly #options: ByHandOptions
  #open: Open | undefined
  #underway = 0

  constructor(options: ByHandOptions) {
    this.#options = options
  }

  /** @throws RedisUnavailableError: then a worker may make it. */
  async make(probe: ByHandProbe): Promise<ByHandEnd> {
    this.#underway += 1
    try {
      return await this.#follow(this.#queueOf(probe), probe)
    } finally {
      this.#underway -= 1
      if (this.#underway === 0) await this.#close()
    }
  }

  #queueOf({ id, needs }: ByHandProbe): ProbeQueue {
    const { schedule, openConnection, busbar } = this.#options
    this.#open ??= { connection: openConnection('probes by hand'), queues: new Map() }
    const { connection, queues } = this.#open
    const prefix = needs === '' ? (schedule.prefixes[schedule.shardOf(id)] ?? '') : schedule.namesPrefix
    const name = schedule.queueName(needs)
    const known = queues.get(`${prefix} ${name}`)
    if (known !== undefined) return known
    const onError = connectionErrors(busbar.context, 'probe queue error')
    const queue = new ProbeQueue({ name, prefix, connection, onError })
    queues.set(`${prefix} ${name}`, queue)
    return queue
  }

  async #close(): Promise<void> {
    const open = this.#open
    this.#open = undefined // the next opens another
    if (open === undefined) return
    await Promise.all([...open.queues.values()].map((queue) => queue.close()))
    disconnect(open.connection)
  }

  async #follow(queue: ProbeQueue, probe: ByHandProbe): Promise<ByHandEnd> {
    const { context } = this.#options.busbar
    const { id, intervalMs, atMs, timeoutMs } = probe
    const job = jobByHand([id, intervalMs], { at: atMs, notAfterMs: atMs + timeoutMs })
    const until = context.clock.now() + timeoutMs
    const stop = new AbortController()
    const ending = this.#untilEnded(queue, job, stop.signal)
    ending.catch(() => undefined) // when it is not waited for any more
    try {
      for (;;) {
        const leftMs = Math.max(0, until - context.clock.now())
        const end = await withTimeout(ending, Math.min(LOOK_MS, leftMs), nothing, context.timers)
        if (end !== undefined) return meaningOf(end)
        if (context.closed) throw new BusbarClosedError()
        const late = context.clock.now() >= until
        const obstacle = late ? tooLate(timeoutMs) : await this.#obstacle(probe)
        if (
          obstacle !== undefined &&
          (await withTimeout(queue.takeBack(job.id), TAKE_BACK_MS, nothing, context.timers))
        )
          return { kind: 'not_taken', obstacle }
        if (late)
          return meaningOf(
            (await withTimeout(ending, LAST_LOOK_MS, nothing, context.timers)) ?? { kind: 'late', timeoutMs },
          )
      }
    } finally {
      stop.abort()
    }
  }

  #obstacle({ id, needs }: ByHandProbe): Promise<Obstacle | undefined> {
    return obstacleTo(this.#options.schedule, id, needs)
  }

  /** Puts the job in and waits for its end, as long as it takes. */
  async #untilEnded(queue: ProbeQueue, job: NamedJob, stop: AbortSignal): Promise<JobEnd | undefined> {
    const { timers } = this.#options.busbar.context
    try {
      await queue.addAll([job])
      for (let pauseMs = MIN_PAUSE_MS; !stop.aborted; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
        const end = await queue.endOf(job.id)
        if (end !== undefined) return end
        await new Promise<void>((resolve) => timers.set(pauseMs, resolve))
      }
      return undefined
    } catch (error) {
      throw new RedisUnavailableError(
        `${job.name}, a job of the probe queue`,
        redactError(error),
        'permanent',
      )
    }
  }
}

const tooLate = (timeoutMs: number): Obstacle => ({
  code: 'no_worker',
  reason: `no worker took it within ${timeoutMs} ms`,
  here: false,
})

function meaningOf(end: JobEnd | { readonly kind: 'late'; readonly timeoutMs: number }): ByHandEnd {
  switch (end.kind) {
    case 'returned': {
      const record = recordIn(end.value)
      if (record !== undefined) return { kind: 'ended', record, worker: end.worker }
      return {
        kind: 'unknown',
        reason: 'the worker that took it returned nothing that this version can read',
      }
    }
    case 'failed':
      return { kind: 'unknown', reason: `the workers that took it ended before it did: ${end.reason}` }
    case 'gone':
      return { kind: 'unknown', reason: 'its job is gone from the queue: whether it was made is not known' }
    case 'late':
      return { kind: 'unknown', reason: `a worker took it, and no result came within ${end.timeoutMs} ms` }
    default:
      return end satisfies never
  }
}

/** It is asked for first after this, then less and less often, ms: most probes are over soon. */
const MIN_PAUSE_MS = 10
const MAX_PAUSE_MS = 160
/** So often it is seen whether a worker is there that could take it, ms. */
const LOOK_MS = 1_000
const TAKE_BACK_MS = 1_000
/** It may have ended since it was last asked for. */
const LAST_LOOK_MS = 2 * MAX_PAUSE_MS
