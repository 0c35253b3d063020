import type { Busbar } from '../client/busbar.js'
import { redactError } from '../model/redact.js'
import { connectionErrors } from '../client/log.js'
import type { CheckedProbeWorkerOptions, ProbeWorker } from '../client/probe-worker.js'
import { meansLost } from '../model/errors.js'
import type { Schedule } from '../model/ports.js'
import { Prober } from './attempt.js'
import { Duty, TICK_MS } from './duty.js'
import type { QueueConnection, QueueJob } from './queue.js'
import { ProbeQueues } from './queues.js'
import { PASS_MS, Reconciler } from './reconciler.js'
import { Recoveries } from './recoveries.js'
import { Room } from './room.js'
import { ProbeRunner } from './run.js'
import { Ticks } from './ticks.js'
import { Timers } from './timers.js'

/** How this process reaches what its fleet shares. */
export interface ProbeAccess {
  readonly schedule: Schedule
  readonly openConnection: (name: string) => QueueConnection
}

/**
 * Makes this process one of those that run the fleet's probes.
 * @throws RedisUnavailableError
 */
export async function startProbeWorker(
  busbar: Busbar,
  access: ProbeAccess,
  options: CheckedProbeWorkerOptions,
): Promise<ProbeWorker> {
  const worker = new Worker(busbar, access, options)
  try {
    await worker.start()
  } catch (error) {
    await worker.close()
    throw redactError(error) // of the queue, whose commands hang on its errors
  }
  return worker
}

/** Puts together what one process needs to probe. */
class Worker implements ProbeWorker {
  readonly #busbar: Busbar
  readonly #queues: ProbeQueues
  readonly #reconciler: Reconciler
  readonly #duties: readonly Duty[]
  readonly #ticks: Ticks
  readonly #room: Room
  readonly #timers = new Timers()
  #closing: Promise<void> | undefined

  constructor(
    busbar: Busbar,
    access: ProbeAccess,
    { concurrency, ...registered }: CheckedProbeWorkerOptions,
  ) {
    const { schedule } = access
    const { host } = busbar
    this.#busbar = busbar
    this.#room = new Room(concurrency)
    this.#queues = new ProbeQueues({
      ...access,
      concurrency,
      process: (job, shard) => this.#process(job, shard),
      onError: connectionErrors(host, 'probe queue error'),
    })
    const review = (id: string) => this.#reconciler.review(id)
    const recoveries = new Recoveries({ busbar, queues: this.#queues, timers: this.#timers, review })
    this.#reconciler = new Reconciler({
      busbar,
      schedule,
      recoveries,
      timers: this.#timers,
      planned: (id) => this.#duties[schedule.shardOf(id)]?.nudge(),
    })
    const prober = new Prober(new ProbeRunner(host.worker, registered))
    this.#ticks = new Ticks({ busbar, schedule, queues: this.#queues, prober, recoveries, review })
    this.#duties = schedule.prefixes.map(
      (_, shard) =>
        new Duty({
          host,
          schedule,
          shard,
          room: this.#room,
          run: (claim) => this.#ticks.claimed(claim),
          invite: () => this.#queues.invite(shard),
          arrange: () => this.#queues.repeatDuty(shard, TICK_MS),
        }),
    )
  }

  async start(): Promise<void> {
    await this.#reconciler.start(() => void this.#afterGap())
    await this.#arrange()
    this.#queues.run()
    for (const duty of this.#duties) {
      await duty.relieve()
      this.#timers.every(TICK_MS, () => void this.#relieve(duty))
    }
    await this.#queues.reconcile()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#reconciler.close()
    this.#timers.close()
    await Promise.all(this.#duties.map((duty) => duty.close()))
    await this.#room.empty()
    await this.#queues.close()
  }

  #process(job: QueueJob, shard: number): Promise<void> {
    switch (job.do) {
      case 'duty':
        return this.#duties[shard]?.tick(job.handed) ?? Promise.resolve()
      case 'reconcile':
        return this.#reconciler.reviewAll('everything')
      case 'probe':
        return this.#room.run(() => this.#ticks.job(job))
      default:
        return Promise.resolve(job satisfies never)
    }
  }

  /** Jobs that the queue repeats. */
  async #arrange(): Promise<void> {
    await Promise.all(this.#duties.map((_, shard) => this.#queues.repeatDuty(shard, TICK_MS)))
    await this.#queues.repeatReconciling(PASS_MS)
  }

  /** Messages may have been missed, or Redis lost all it knew. */
  async #afterGap(): Promise<void> {
    try {
      await this.#arrange()
      await this.#reconciler.reviewAll('differences')
      await this.#queues.reconcile()
    } catch (error) {
      this.#failed(error, 'could not plan probes')
      this.#timers.later(meansLost(error) ? RETRY_MS : PASS_MS, () => void this.#afterGap())
    }
  }

  async #relieve(duty: Duty): Promise<void> {
    const { counters, log } = this.#busbar.host
    try {
      if (!(await duty.relieve())) return
      counters.probeLoopsMended += 1
      log.info(
        { shard: duty.shard },
        'nobody took the probes that were due: this process does, and the ticks begin again',
      )
    } catch (error) {
      this.#failed(error, 'could not see whether anybody takes the probes that are due')
    }
  }

  #failed(error: unknown, doing: string): void {
    if (this.#closing !== undefined) return
    const { counters, log } = this.#busbar.host
    counters.connectionErrors += 1
    log.warn({ err: error }, doing)
  }
}

const RETRY_MS = 1_000
