import type { Busbar } from '../client/busbar.js'
import type { Change, EventKind } from '../model/events.js'
import { look, type Seen } from './look.js'
import { intervalNow, minGapMs } from './plan.js'
import { isAstray, type Plan } from './queue.js'
import type { ProbeQueues } from './queues.js'

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
  readonly #queues: ProbeQueues
  readonly #ids = new Set<string>()
  /** Those of them whose users' calls fail. */
  readonly #early = new Set<string>()
  /** How often each provider that is probed is to be, ms. */
  readonly #paces = new Map<string, number>()
  /** What the queues were told last; undefined: it is to be said again. */
  #perSecond: number | undefined
  /** When the next look at a provider is planned, by this process's clock. */
  readonly #planned = new Map<string, number>()
  #all = false
  #passing = false
  #unwatch: (() => void) | undefined
  readonly #timers = new Set<NodeJS.Timeout>()
  #closed = false

  constructor(busbar: Busbar, queues: ProbeQueues) {
    this.#busbar = busbar
    this.#queues = queues
  }

  /** Begins to follow, and makes the first pass. @throws RedisUnavailableError */
  async start(): Promise<void> {
    this.#unwatch = this.#busbar.watch((change) => this.#follow(change))
    await this.#everything()
    await this.#setLimit()
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

  /** Does it once, by this process's own measure of time, unless it is closed before. */
  later(ms: number, action: () => void): void {
    if (this.#closed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, ms).unref()
    this.#timers.add(timer)
  }

  #follow(change: Change | 'gap'): void {
    if (change === 'gap') {
      this.request()
      return
    }
    const { events, providerId, snapshot } = change
    const failing = events.length === 0 && snapshot?.state === 'closed' && snapshot.consecutiveFailures > 0
    if (failing) this.#early.add(providerId)
    if (failing || events.some(({ kind }) => FOLLOWED.has(kind))) this.request(providerId)
  }

  /**
   * Looks for what a dead worker left stuck, or one with another time of day has put off; two commands, and the first of
   * the fleet to see it mends it.
   */
  async #sentry(): Promise<void> {
    try {
      for (const id of await this.#queues.stuck()) this.request(id)
      for (const { id, inMs } of await this.#queues.furthest()) {
        if (isAstray(inMs, this.#paces.get(id) ?? Infinity)) this.request(id)
      }
    } catch (error) {
      this.#failed(error, undefined)
    }
  }

  #again(ms: number, action: () => void): void {
    this.later(ms * (0.75 + Math.random() / 2), () => {
      action()
      this.#again(ms, action)
    })
  }

  async #drain(): Promise<void> {
    while (!this.#closed && (this.#all || this.#ids.size > 0)) {
      const everything = this.#all
      const ids = [...this.#ids]
      this.#all = false
      this.#ids.clear()
      try {
        if (everything) await this.#everything()
        else await this.#each(ids, (id) => this.#queues.get(id))
        await this.#setLimit()
      } catch (error) {
        this.#failed(error, undefined)
      }
    }
    this.#passing = false
  }

  /** Schedulers are listed before providers: one whose provider is not listed then lost it, and is not too new. */
  async #everything(): Promise<void> {
    await this.#busbar.providers() // fails soon when Redis is away; the queue would wait
    const plans = new Map((await this.#queues.list()).map((plan) => [plan.id, plan]))
    const ids = new Set([...plans.keys(), ...(await this.#busbar.providers())])
    await this.#each([...ids], (id) => Promise.resolve(plans.get(id)))
    this.#perSecond = undefined // a wiped Redis has forgotten it
  }

  /** The limit follows the providers of now: those of a moment ago would hold up what was registered since. */
  async #setLimit(): Promise<void> {
    let perSecond = 0
    for (const intervalMs of this.#paces.values()) perSecond += (1_000 / intervalMs) * LIMIT_FACTOR
    if (perSecond === this.#perSecond) return
    await this.#queues.limit(perSecond)
    this.#perSecond = perSecond
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
    const early = this.#early.delete(id)
    const seen = await look(this.#busbar, id)
    if (seen?.probe === undefined) {
      this.#paces.delete(id)
      if (await this.#queues.remove(id)) this.#busbar.host.log.debug({ provider: id }, 'probe loop ended')
      const endsInMs = seen?.snapshot.markForMs ?? Infinity
      if (endsInMs <= BACKSTOP_MS) this.later(endsInMs + 1, () => this.request(id))
      return
    }
    const { probe, snapshot } = seen
    const intervalMs = intervalNow(probe, snapshot)
    this.#paces.set(id, intervalMs)
    const { at, probeStartedAt } = snapshot
    const sinceMs = probeStartedAt === null ? Infinity : at - probeStartedAt
    const runs = plan?.intervalMs === intervalMs && !isBroken(plan, sinceMs)
    // A loop that runs is given one more interval; a new one would wait for its first tick for up to as long.
    const overdue = sinceMs >= intervalMs * (runs ? 2 : 1)
    if (!runs || overdue) await this.#mend(id, plan, intervalMs, probeStartedAt)
    if (overdue) await this.#queues.add(`now:${id}`, { id })
    else if (
      early &&
      probe.suspiciousIntervalMs !== undefined &&
      sinceMs >= minGapMs(probe, 'early', snapshot)
    ) {
      await this.#queues.add(`early:${id}`, { id, why: 'early' })
    }
    if (seen.provider.settings.breaker.recovery !== 'traffic') await this.#recover(seen)
  }

  async #mend(
    id: string,
    plan: Plan | undefined,
    intervalMs: number,
    probeStartedAt: number | null,
  ): Promise<void> {
    // As long as it stands, a new one changes nothing.
    if (plan?.astray === true) await this.#queues.remove(id)
    await this.#queues.upsert(id, intervalMs)
    if (probeStartedAt === null || (plan !== undefined && !plan.stuck && !plan.astray)) return
    const { counters, log } = this.#busbar.host
    counters.probeLoopsMended += 1
    log.info(
      { provider: id, intervalMs },
      plan === undefined ? 'probe loop was gone: begun again' : 'probe loop was stuck: begun again',
    )
  }

  /**
   * One probe when the cooldown ends, or the pause. Whoever sees the circuit open adds it; it bears the generation, so
   * it is one for the fleet. When it has had its time and the circuit is still half-open, whoever tried is gone: again.
   */
  async #recover({ provider: { id, settings }, probe, snapshot }: Seen): Promise<void> {
    const { state, generation, retryAfterMs, throttledForMs, trialFreeInMs, at, probeStartedAt } = snapshot
    if (probe === undefined || state === 'closed' || (state === 'open' && retryAfterMs === null)) return
    const job = { id, why: 'recovery', generation } as const
    const waitMs = Math.max(retryAfterMs ?? 0, throttledForMs, trialFreeInMs)
    const hadMs = Math.max(settings.breaker.trialLeaseMs, probe.timeoutMs)
    if (state === 'open') await this.#queues.add(`recover:${id}:${generation}`, job, waitMs)
    else if (waitMs === 0 && at - (probeStartedAt ?? 0) > hadMs) {
      await this.#queues.add(`recover:${id}:${generation}:again`, job)
    }
    this.#lookAgain(id, waitMs + hadMs + RECOVERY_MARGIN_MS)
  }

  /** One planned look a provider: an earlier one stands. */
  #lookAgain(id: string, inMs: number): void {
    const now = performance.now()
    if ((this.#planned.get(id) ?? 0) > now) return
    this.#planned.set(id, now + inMs)
    this.later(inMs, () => {
      this.#planned.delete(id)
      this.request(id)
    })
  }

  #failed(error: unknown, id: string | undefined): void {
    if (this.#closed) return
    const { counters, log } = this.#busbar.host
    counters.connectionErrors += 1
    log.warn({ err: error, ...(id === undefined ? {} : { provider: id }) }, 'could not plan probes')
    this.later(RETRY_MS, () => this.request(id))
  }
}

/**
 * What looks wrong by this process's clock may be right by that of another worker, which then takes the ticks. Whether a
 * probe came tells, by Redis's.
 */
const isBroken = ({ stuck, astray, intervalMs }: Plan, sinceMs: number): boolean =>
  (stuck && sinceMs >= intervalMs) || (astray && sinceMs >= 1.5 * intervalMs)

const FOLLOWED: ReadonlySet<EventKind> = new Set([
  'registered',
  'marked',
  'resumed',
  'settings_changed',
  'removed',
  'opened',
  'closed',
  'reset',
  'throttled',
])
/** After an outage the fleet catches up no faster than this many times its usual pace. */
const LIMIT_FACTOR = 1.5
/** What a recovery may be late by, ms. */
const RECOVERY_MARGIN_MS = 1_000
const BACKSTOP_MS = 30_000
const SENTRY_MS = 500
const RETRY_MS = 1_000
/** Providers looked at side by side. */
const BATCH = 32
