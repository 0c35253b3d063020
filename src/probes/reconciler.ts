import type { Busbar } from '../client/busbar.js'
import type { Change, EventKind } from '../model/events.js'
import { look } from './look.js'
import type { Plan, ProbeQueue } from './queue.js'

/**
 * Keeps the schedulers what the registered providers ask for.
 *
 * Every probe worker of a fleet has one, and all do the same: each write is harmless when repeated, so nobody need
 * be elected. One pass runs at a time in a process, and what is asked for meanwhile waits for the next. That order
 * is what makes removals safe: a pass that read an old mark, and removes a scheduler that another process has just
 * restored, is followed by a pass for the event that restored it.
 *
 * A pass reads a provider afresh when one of its events comes or its scheduler is stuck, or everything: at the
 * start, after a gap in the messages, and every half minute, for what came without a message (a wiped Redis, a mark
 * that ran out).
 */
export class Reconciler {
  readonly #busbar: Busbar
  readonly #queue: ProbeQueue
  readonly #ids = new Set<string>()
  #all = false
  #passing = false
  #unwatch: (() => void) | undefined
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(busbar: Busbar, queue: ProbeQueue) {
    this.#busbar = busbar
    this.#queue = queue
  }

  /** Begins to follow, and makes the first pass. @throws RedisUnavailableError */
  async start(): Promise<void> {
    this.#unwatch = this.#busbar.watch((change) => this.#follow(change))
    await this.#everything()
    this.#again(BACKSTOP_MS, () => this.request())
    this.#again(SENTRY_MS, () => void this.#sentry())
  }

  /** One provider, or everything, soon. */
  request(id?: string): void {
    if (this.#closed) return
    if (id === undefined) this.#all = true
    else this.#ids.add(id)
    if (this.#passing) return
    this.#passing = true
    void this.#drain()
  }

  /** Begins nothing more; what runs may still be waiting for Redis. */
  close(): void {
    this.#closed = true
    this.#unwatch?.()
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #follow(change: Change | 'gap'): void {
    if (change === 'gap') this.request()
    else if (change.events.some(({ kind }) => FOLLOWED.has(kind))) this.request(change.providerId)
  }

  /** Looks for what a dead worker left stuck; one command, and the first of the fleet to see it mends it. */
  async #sentry(): Promise<void> {
    try {
      for (const id of await this.#queue.stuck()) this.request(id)
    } catch (error) {
      this.#failed(error, undefined)
    }
  }

  #again(ms: number, action: () => void): void {
    this.#later(ms * (0.75 + Math.random() / 2), () => {
      action()
      this.#again(ms, action)
    })
  }

  #later(ms: number, action: () => void): void {
    if (this.#closed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, ms).unref()
    this.#timers.add(timer)
  }

  async #drain(): Promise<void> {
    while (!this.#closed && (this.#all || this.#ids.size > 0)) {
      const everything = this.#all
      const ids = [...this.#ids]
      this.#all = false
      this.#ids.clear()
      try {
        if (everything) await this.#everything()
        else await this.#each(ids, (id) => this.#queue.get(id))
      } catch (error) {
        this.#failed(error, undefined)
      }
    }
    this.#passing = false
  }

  /** Schedulers are listed before providers: one whose provider is not listed then lost it, and is not too new. */
  async #everything(): Promise<void> {
    await this.#busbar.providers() // fails soon when Redis is away; the queue would wait
    const plans = new Map((await this.#queue.list()).map((plan) => [plan.id, plan]))
    const ids = new Set([...plans.keys(), ...(await this.#busbar.providers())])
    await this.#each([...ids], (id) => Promise.resolve(plans.get(id)))
  }

  async #each(ids: readonly string[], planOf: (id: string) => Promise<Plan | undefined>): Promise<void> {
    for (let i = 0; i < ids.length && !this.#closed; i += BATCH) {
      const one = async (id: string) => {
        try {
          await this.#one(id, await planOf(id))
        } catch (error) {
          this.#failed(error, id)
        }
      }
      await Promise.all(ids.slice(i, i + BATCH).map(one))
    }
  }

  async #one(id: string, plan: Plan | undefined): Promise<void> {
    const seen = await look(this.#busbar, id)
    if (seen?.probe === undefined) {
      if (await this.#queue.remove(id)) this.#busbar.host.log.debug({ provider: id }, 'probe loop ended')
      const endsInMs = seen?.snapshot.markForMs ?? Infinity
      if (endsInMs <= BACKSTOP_MS) this.#later(endsInMs + 1, () => this.request(id))
      return
    }
    const { intervalMs } = seen.probe
    const runs = plan?.intervalMs === intervalMs && !plan.stuck
    const { at, probeStartedAt } = seen.snapshot
    const sinceMs = probeStartedAt === null ? Infinity : at - probeStartedAt
    // A loop that runs is given one more interval; a new one would wait for its first tick for up to as long.
    const overdue = sinceMs >= intervalMs * (runs ? 2 : 1)
    if (!runs || overdue) await this.#queue.upsert(id, intervalMs)
    if (overdue) await this.#queue.probeNow(id)
  }

  #failed(error: unknown, id: string | undefined): void {
    if (this.#closed) return
    const { counters, log } = this.#busbar.host
    counters.connectionErrors += 1
    log.warn({ err: error, ...(id === undefined ? {} : { provider: id }) }, 'could not plan probes')
    this.#later(RETRY_MS, () => this.request(id))
  }
}

const FOLLOWED: ReadonlySet<EventKind> = new Set([
  'registered',
  'marked',
  'resumed',
  'settings_changed',
  'removed',
])
const BACKSTOP_MS = 30_000
const SENTRY_MS = 500
const RETRY_MS = 1_000
/** Providers looked at side by side. */
const BATCH = 32
