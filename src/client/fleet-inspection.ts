import { checkArgument } from '../config/check.js'
import { idSchema } from '../config/options.js'
import { UnknownProviderError } from '../model/errors.js'
import type { Inspection } from '../model/inspection.js'
import { callsByWorker, type CallsByWorker } from './calls-by-worker.js'
import type { BusbarParts } from './busbar-parts.js'
import type { FleetProbes, ProbeSchedules } from './fleet-probes.js'
import type { Counters, Logger } from './shared/log.js'

/** The part of a busbar that only reads: what this process says of itself, and what can be asked of the whole fleet. */
export class FleetInspection {
  readonly namespace: string
  readonly #parts: BusbarParts
  readonly #probes: FleetProbes

  constructor(parts: BusbarParts, probes: FleetProbes) {
    this.namespace = parts.namespace
    this.#parts = parts
    this.#probes = probes
  }

  /** Since when Redis has not answered this process, ms since 1970 on its own clock; undefined while it answers. */
  get degradedSince(): number | undefined {
    return this.#parts.core.context.watch.since
  }

  /** This process's name in events and in `busbar:workers`. */
  get workerId(): string {
    return this.#parts.core.context.worker
  }

  /** What was swallowed so that the user's work goes on. */
  get counters(): Readonly<Counters> {
    return this.#parts.core.context.counters
  }

  /** The logger of this process, as `connect` was given it: no secret reaches it. For parts that work with a busbar. */
  get logger(): Logger {
    return this.#parts.core.context.log
  }

  /** Aborted when `close` is called. */
  get closing(): AbortSignal {
    return this.#parts.core.closing
  }

  /**
   * Probe queues of the fleet that somebody paused (`queue.pause()` of BullMQ), by the names of their keys, such as
   * `{busbar}:probes`: none of their probes runs until `queue.resume()`. Usually empty.
   * @throws RedisUnavailableError
   */
  async pausedProbeQueues(): Promise<readonly string[]> {
    return this.#probes.pausedQueues()
  }

  /**
   * The work of the fleet's probe workers: every provider that is to be probed, when its next probe is due and by which
   * queue, and the queues. One read of it all; O(providers).
   * @throws RedisUnavailableError
   */
  async schedules(): Promise<ProbeSchedules> {
    return this.#probes.schedules()
  }

  /** Processes that sent a heartbeat in the last ten minutes, how long ago, and what fails together with them. @throws RedisUnavailableError */
  async workers(): Promise<Inspection['workers']> {
    this.#parts.core.assertOpen()
    return this.#parts.workers()
  }

  /**
   * The calls to a provider in the last 30 to 60 s, by the worker that made them, and how many failed. They are counted only while
   * somebody asks, in any process: an answer keeps that up for 30 s, and the first has none. While nobody asks it costs
   * Redis nothing. Probes, and calls that were ignored, are not among them.
   * @throws UnknownProviderError, ProviderRemovedError, RedisUnavailableError
   */
  async callsByWorker(id: string): Promise<CallsByWorker> {
    const { core } = this.#parts
    checkArgument(idSchema, id, 'id')
    const held = core.get(id) ?? (await core.lookup(id))
    if (held === undefined) throw new UnknownProviderError(id)
    const { session } = held.core
    return callsByWorker(await session.run('view', (store) => store.view(id, session.caller)))
  }

  /**
   * The facts of the Redis behind it, for a check of the whole set-up such as `busbar doctor`. O(providers).
   * @throws RedisUnavailableError
   */
  async inspect(): Promise<Inspection> {
    this.#parts.core.assertOpen()
    return { ...(await this.#parts.inspect()), pausedProbeQueues: await this.pausedProbeQueues() }
  }
}
