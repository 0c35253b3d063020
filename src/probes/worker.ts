import type { BusbarCore } from '../client/busbar-core.js'
import { connectionErrors } from '../client/shared/log.js'
import { retryUnavailable } from '../client/outage/retry-unavailable.js'
import type { CheckedProbeWorkerOptions, ProbeWorker } from '../client/probing/probe-worker.js'
import { meansLost } from '../model/errors.js'
import type { Claims, Schedule } from '../model/ports/schedule.js'
import { Prober } from './prober.js'
import { DiscardLog } from './discard-log.js'
import { JobRunner } from './job-runner.js'
import { Planner, TICK_MS } from './planner.js'
import type { QueueJob } from './probe-job.js'
import { ProbeSlots } from './probe-slots.js'
import type { QueueConnection } from './bullmq-queue.js'
import { ProbeQueues } from './fleet-queues.js'
import { PASS_MS, Reconciler } from './reconciler.js'
import { RecoveryProbes } from './recovery.js'
import { namesOf, ProbeRunner } from './probe-runner.js'
import { Timers } from './timers.js'
import { startOrClose } from './queue-closing.js'

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
  busbar: BusbarCore,
  access: ProbeAccess,
  options: CheckedProbeWorkerOptions,
): Promise<ProbeWorker> {
  const worker = new Worker(busbar, access, options)
  return startOrClose(worker)
}

/** Puts together what one process needs to plan and make probes. */
class Worker implements ProbeWorker {
  readonly #busbar: BusbarCore
  readonly #schedule: Schedule
  readonly #registeredNames: readonly string[]
  readonly #queues: ProbeQueues
  readonly #reconciler: Reconciler
  readonly #planners: readonly Planner[]
  readonly #runner: JobRunner
  readonly #discards: DiscardLog
  readonly #timers = new Timers()
  #closing: Promise<void> | undefined

  constructor(
    busbar: BusbarCore,
    access: ProbeAccess,
    { concurrency, ...registered }: CheckedProbeWorkerOptions,
  ) {
    const { schedule } = access
    const { context } = busbar
    const slots = new ProbeSlots(concurrency)
    const timers = this.#timers
    const review = (id: string) => this.#reconciler.review(id)
    this.#busbar = busbar
    this.#schedule = schedule
    this.#registeredNames = namesOf(registered)
    this.#queues = new ProbeQueues({
      ...access,
      registered: this.#registeredNames,
      workerId: context.worker,
      concurrency,
      slots,
      process: (job, again, shard) => this.#process(job, again, shard),
      onError: connectionErrors(context, 'probe queue error'),
    })
    this.#reconciler = new Reconciler({
      busbar,
      schedule,
      recovery: new RecoveryProbes({ timers, review }),
      timers,
      planned: (id) => this.#planners[schedule.shardOf(id)]?.wake(),
    })
    this.#discards = new DiscardLog(context)
    const prober = new Prober(new ProbeRunner(context.worker, registered))
    this.#runner = new JobRunner({ busbar, schedule, slots, prober, discards: this.#discards, review })
    this.#planners = schedule.prefixes.map((_, shard) => this.#plannerOf(shard))
  }

  #plannerOf(shard: number): Planner {
    return new Planner({
      context: this.#busbar.context,
      schedule: this.#schedule,
      shard,
      fullCodes: () => this.#queues.fullCodes(),
      dispatch: (claims) => this.#dispatch(shard, claims),
      check: (late) => this.#repair(shard, late),
    })
  }

  async start(): Promise<void> {
    const { watch, commandTimeoutMs } = this.#busbar.context
    // All that is asked of Redis here may be asked twice, and a Redis that is slow for a moment is no reason to fail.
    const retried = (work: () => Promise<unknown>) => retryUnavailable(watch, commandTimeoutMs, work)
    this.#reconciler.follow(() => void this.#afterGap())
    await retried(() => this.#reconciler.begin())
    await this.#repeatJobs()
    await retried(() => this.#schedule.serve(this.#registeredNames))
    this.#queues.run()
    this.#timers.every(SERVE_MS, () => void this.#serve())
    for (const planner of this.#planners) {
      await retried(() => planner.takeOver())
      this.#timers.every(TICK_MS, () => void this.#takeOver(planner))
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
    await Promise.all(this.#planners.map((planner) => planner.close()))
    await this.#queues.close()
  }

  async #process(job: QueueJob, again: boolean, shard: number | undefined): Promise<unknown> {
    switch (job.do) {
      case 'plan':
        return this.#planners[shard ?? 0]?.tick()
      case 'reconcile':
        return this.#reconciler.reviewAll('everything')
      case 'probe':
        return this.#runner.run(job, again)
      default:
        return job satisfies never
    }
  }

  /** A provider whose queue takes nothing loses its turn: it must not hold up those behind it. */
  async #dispatch(shard: number, claims: Claims): Promise<void> {
    const lost = await this.#queues.add(shard, claims)
    for (const { id, problem } of lost) this.#discards.lostTurn(id, problem)
    // Overdue ones are announced. The others are seen in later turns, or by the pass over everything.
    for (const { id } of lost.slice(0, MAX_REVIEWED)) this.#reconciler.review(id)
  }

  /** Jobs that the queue repeats. True when one was gone or stuck. */
  async #repeatJobs(shards: readonly number[] = [...this.#planners.keys()], late = false): Promise<boolean> {
    const ticks = shards.map((shard) => this.#queues.repeatTick(shard, TICK_MS, late))
    const passes = shards.includes(0) ? [this.#queues.repeatReconciling(PASS_MS)] : []
    return (await Promise.all([...ticks, ...passes])).includes(true)
  }

  /** Messages may have been missed, or Redis lost all it knew. */
  async #afterGap(): Promise<void> {
    try {
      await this.#repeatJobs()
      await this.#reconciler.reviewAll('differences')
      await this.#queues.reconcile()
    } catch (error) {
      this.#failed(error, 'could not plan probes')
      this.#timers.later(meansLost(error) ? RETRY_MS : PASS_MS, () => void this.#afterGap())
    }
  }

  async #serve(): Promise<void> {
    try {
      await this.#schedule.serve(this.#registeredNames)
    } catch (error) {
      this.#failed(error, 'could not say which registered checks this worker makes')
    }
  }

  async #takeOver(planner: Planner): Promise<void> {
    try {
      if (!(await planner.takeOver())) return
      this.#repaired(planner.shard, 'no process planned the probes: this one does')
      await this.#repair(planner.shard)
    } catch (error) {
      this.#failed(error, 'could not see whether a process plans the probes')
    }
  }

  /** Asked of the planner every few seconds, so that it costs the same however many workers there are. */
  async #repair(shard: number, late = false): Promise<void> {
    try {
      if (!(await this.#repeatJobs([shard], late))) return
      this.#repaired(shard, 'the jobs that the probe queue repeats were gone or stuck: begun again')
    } catch (error) {
      this.#failed(error, 'could not see to the jobs that the probe queue repeats')
    }
  }

  #repaired(shard: number, message: string): void {
    const { counters, log } = this.#busbar.context
    counters.probeSchedulesRepaired += 1
    log.info({ shard }, message)
  }

  #failed(error: unknown, doing: string): void {
    if (this.#closing !== undefined) return
    const { counters, log } = this.#busbar.context
    counters.connectionErrors += 1
    log.warn({ err: error }, doing)
  }
}

const RETRY_MS = 1_000
/** Of the providers that lost a turn together, so many are looked at. */
const MAX_REVIEWED = 4
/** A worker says so often which queues of names it takes from, ms. */
const SERVE_MS = 3_000
