import type { BusbarCore } from '../client/busbar-core.js'
import { retryUnavailable } from '../client/outage/retry-unavailable.js'
import { connectionErrors } from '../client/shared/log.js'
import type { CheckedAlertOptions, CheckedHook } from '../config/alerts.js'
import type { Change } from '../model/events.js'
import type { HookStore } from '../model/ports/hook-store.js'
import type { QueueConnection } from '../probes/queue-closing.js'
import { eventJobId, type AlertJob } from './alert-job.js'
import { AlertQueue } from './alert-queue.js'
import { Collector, type Again } from './collector.js'
import { AttemptFailed, Deliverer } from './deliverer.js'
import type { Destination } from './destination.js'
import { HookFilter } from './hook-filter.js'

export interface HookRunnerOptions extends Pick<CheckedAlertOptions, 'groupMs' | 'retryMs'> {
  readonly busbar: BusbarCore
  readonly store: HookStore
  readonly namespace: string
  readonly connection: QueueConnection
  readonly name: string
  readonly hook: CheckedHook
  readonly destination: Destination
}

/**
 * One hook in one process. Each hook has a queue of its own, so one that does not answer holds up no other. Every process adds a
 * job for each event that it hears of, under the same id, due when the time of grouping is over. A process that may have missed
 * some asks for a look at all providers; and so does one process of the fleet every ten minutes.
 */
export class HookRunner {
  readonly #options: HookRunnerOptions
  readonly #filter: HookFilter
  readonly #queue: AlertQueue
  readonly #collector: Collector
  readonly #deliverer: Deliverer
  #closed = false

  constructor(options: HookRunnerOptions) {
    const { busbar, connection, destination, hook, name, namespace, store } = options
    const { context } = busbar
    const filter = new HookFilter(hook)
    const shared = { context, store, hook: name }
    this.#options = options
    this.#filter = filter
    this.#queue = new AlertQueue({
      ...{ name: store.queueName(name), prefix: store.prefix, connection },
      workerId: context.worker,
      pauseMs: (attempts, error) => this.#pauseMs(attempts, error),
      process: (job, last) => this.#process(job, last),
      onError: connectionErrors(context, 'alert queue error'),
    })
    this.#collector = new Collector({
      ...{ ...shared, namespace, filter, kind: hook.kind, groupMs: options.groupMs },
      queue: () => this.#queue,
    })
    this.#deliverer = new Deliverer({ ...shared, destination, behind: () => this.#sweep() })
  }

  /** @throws RedisUnavailableError */
  async start(): Promise<void> {
    // From now on it is known to the fleet: what happens from here on is told.
    const { busbar, name, store } = this.#options
    const { commandTimeoutMs, watch } = busbar.context
    await retryUnavailable(watch, commandTimeoutMs, () => store.read(name))
    this.#queue.run()
    await this.#sweep()
  }

  hear({ events, providerId, snapshot }: Change): void {
    if (!this.#filter.wantsProvider(providerId, snapshot?.group)) return
    const event = events.findLast((each) => this.#filter.wantsKind(each))
    if (event === undefined) return
    void this.#orSweepLater(() => this.#queue.addEvent(eventJobId(event), providerId, this.#options.groupMs))
  }

  /** Messages may have been missed. */
  hearGap(): void {
    void this.#orSweepLater(() => this.#sweep())
  }

  /** Once for the fleet in `periodMs`, by each process's own time of day. */
  sweepNowAndThen(periodMs: number): void {
    const id = `sweep~${Math.floor(Date.now() / periodMs)}`
    void this.#orSweepLater(() => this.#queue.addSweep(id))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#queue.close()
  }

  async #process(job: AlertJob, last: boolean): Promise<string | Again> {
    switch (job.do) {
      case 'event':
        return this.#collector.tell(job.provider)
      case 'sweep':
        return this.#collector.sweep()
      case 'deliver':
        return this.#deliverer.deliver(job.delivery, last)
      default:
        return job satisfies never
    }
  }

  async #sweep(): Promise<void> {
    if (!(await this.#queue.addSweep())) this.#later(AGAIN_MS)
  }

  #later(ms: number): void {
    const { timers } = this.#options.busbar.context
    timers
      .set(ms, () => {
        if (!this.#closed) void this.#orSweepLater(() => this.#sweep())
      })
      .unref()
  }

  async #orSweepLater(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#closed) return
      const { context } = this.#options.busbar
      context.counters.connectionErrors += 1
      context.log.warn({ err: error, hook: this.#options.name }, 'could not plan an alert: it comes later')
      this.#later(RETRY_MS)
    }
  }

  /** Twice the one before, or what the receiver asked for. */
  #pauseMs(attempts: number, error: Error | undefined): number {
    const asked = error instanceof AttemptFailed ? error.pauseMs : 0
    const grown = this.#options.retryMs * 2 ** Math.min(attempts - 1, MAX_DOUBLINGS)
    return Math.min(Math.max(grown, asked), MAX_PAUSE_MS)
  }
}

/** A look at all providers is under way: another is asked for after this, ms. */
const AGAIN_MS = 1_000
const RETRY_MS = 5_000
const MAX_PAUSE_MS = 600_000
const MAX_DOUBLINGS = 30
