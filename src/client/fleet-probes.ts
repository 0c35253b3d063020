import { checkArgument } from '../config/check.js'
import { idSchema, probeNowSchema, probesSchema } from '../config/options.js'
import type { Planned, ProbeQueueState } from '../model/ports/schedule.js'
import type { ProbeFunction, ProcessSource } from '../model/probe.js'
import type { BusbarCore } from './busbar-core.js'
import type { ProbeReport } from './probing/probe-ticket.js'
import type { CheckedProbeWorkerOptions, ProbeWorker, ProbeWorkerOptions } from './probing/probe-worker.js'
import type { RegisteredChecks } from './probing/probe-worker.js'
import { checkNames } from './probing/registered-names.js'

/** See `busbar.schedules()`. */
export interface ProbeSchedules {
  readonly planned: readonly Planned[]
  readonly queues: readonly ProbeQueueState[]
}

export interface ProbeNowOptions {
  /**
   * How long the result of a worker is waited for, ms. 1 to 1 day; default: the `timeoutMs` of the probe, and 5 000. A probe
   * that no worker has taken by then is not made.
   */
  readonly timeoutMs?: number | undefined
}

/** A health check that is asked for by hand. */
export interface ProbeRequest {
  readonly id: string
  /** The checks that this process gave to its probe workers. */
  readonly registered: RegisteredChecks
  readonly timeoutMs: number | undefined
}

/** The code that runs probes; loaded on demand, as it loads bullmq. */
export interface ProbeParts {
  startProbes(core: BusbarCore, options: CheckedProbeWorkerOptions): Promise<ProbeWorker>
  probe(core: BusbarCore, request: ProbeRequest): Promise<ProbeReport>
}

/** One process's part in the fleet's probes: what the methods of `Busbar` do, and their checks. */
export class FleetProbes {
  readonly #core: BusbarCore
  readonly #parts: ProbeParts
  readonly #registered = {
    processes: new Map<string, ProcessSource>(),
    functions: new Map<string, ProbeFunction>(),
  }
  /** Those that this process started. */
  readonly workers = new Set<ProbeWorker>()

  constructor(core: BusbarCore, parts: ProbeParts) {
    this.#core = core
    this.#parts = parts
  }

  async start(given: ProbeWorkerOptions): Promise<ProbeWorker> {
    this.#core.assertOpen()
    const options = checkArgument(probesSchema, given, 'startProbes')
    checkNames(this.#registered, options)
    const worker = await this.#parts.startProbes(this.#core, options)
    this.workers.add(worker)
    for (const [name, fn] of options.functions) this.#registered.functions.set(name, fn)
    for (const [name, source] of options.processes) this.#registered.processes.set(name, source)
    return worker
  }

  async probe(id: string, options: ProbeNowOptions): Promise<ProbeReport> {
    checkArgument(idSchema, id, 'id')
    const { timeoutMs } = checkArgument(probeNowSchema, options, 'probe')
    this.#core.assertOpen()
    return this.#parts.probe(this.#core, { id, registered: this.#registered, timeoutMs })
  }

  async pausedQueues(): Promise<readonly string[]> {
    this.#core.assertOpen()
    return (await this.#core.context.schedule?.pausedQueues()) ?? []
  }

  async schedules(): Promise<ProbeSchedules> {
    this.#core.assertOpen()
    const { schedule } = this.#core.context
    if (schedule === undefined) return { planned: [], queues: [] }
    const [planned, known] = await Promise.all([schedule.list(), schedule.queues()])
    // The queues of names that no worker has ever registered.
    const unseen = new Set(planned.map(({ needs }) => needs))
    for (const { needs } of known) unseen.delete(needs)
    unseen.delete('')
    const others = await Promise.all([...unseen].map((needs) => schedule.queueOf(needs)))
    return { planned, queues: [...known, ...others] }
  }
}
