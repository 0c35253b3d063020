import type { Busbar } from '../client/busbar.js'
import { isBusbarError } from '../model/errors.js'
import type { Schedule } from '../model/ports.js'
import type { ProberError } from '../model/probe.js'
import type { HealthStatus } from '../model/words.js'
import { intervalNow } from '../rules/pace.js'
import type { Attempt, Found, Probed, Prober } from './attempt.js'
import { Discards } from './discards.js'
import type { Claim } from './duty.js'
import { glance } from './look.js'
import { minGapMs } from './plan.js'
import type { ProbeJob } from './queue.js'
import type { ProbeQueues } from './queues.js'
import type { Recoveries } from './recoveries.js'

export interface TicksOptions {
  readonly busbar: Busbar
  readonly schedule: Schedule
  readonly queues: ProbeQueues
  readonly prober: Prober
  readonly recoveries: Recoveries
  /** Asks for another look at what is planned for a provider. */
  readonly review: (id: string) => void
}

/** One probe that this process was handed, by the schedule or by the queue, and what follows from it. */
export class Ticks {
  readonly #options: TicksOptions
  readonly #discards: Discards

  constructor(options: TicksOptions) {
    this.#options = options
    this.#discards = new Discards(options.busbar.host)
  }

  /** Its turn has come. Never rejects. */
  claimed({ id, intervalMs }: Claim): Promise<void> {
    return this.#guarded(id, () => this.#tick(id, { intervalMs }))
  }

  /** The queue had it. Never rejects. */
  job(job: ProbeJob): Promise<void> {
    const { id, hops = 0 } = job
    return this.#guarded(id, () => (job.why === 'recovery' ? this.#recover(job) : this.#tick(id, { hops })))
  }

  /** What failed here would say nothing that the log does not. */
  async #guarded(id: string, work: () => Promise<void>): Promise<void> {
    const { busbar, review } = this.#options
    try {
      await work()
    } catch (error) {
      if (isBusbarError(error, 'provider_removed')) {
        review(id)
        return
      }
      busbar.host.counters.connectionErrors += 1
      busbar.host.log.warn(
        { err: error, provider: id },
        'a probe could not begin, or its result not be recorded',
      )
    }
  }

  async #tick(id: string, turn: { readonly intervalMs?: number; readonly hops?: number }): Promise<void> {
    const probed = await this.#toProbe(id)
    if (probed === undefined) return
    const claimed = turn.intervalMs !== undefined
    const { hops = 0 } = turn
    if (!this.#isAble(probed)) return this.#passOn({ do: 'probe', id, why: 'tick', hops })
    const { intervalMs = intervalNow(probed.probe, probed.snapshot) } = turn
    const gapMs = minGapMs(probed.probe, intervalMs)
    // Whoever had the turn before has ended by now.
    const alone = claimed && probed.probe.timeoutMs <= gapMs
    const attempt = await this.#options.prober.attempt(probed, { minGapMs: gapMs, alone })
    this.#conclude(id, attempt)
    if ('result' in attempt) this.#watchPace(probed, attempt.result.status, intervalMs)
    // Whoever began the other may be dead, and this turn would be lost with it.
    if ('refused' in attempt && attempt.refused.code === 'probed_recently') {
      const inMs = Math.ceil(attempt.refused.retryAfterMs ?? 0)
      await this.#options.schedule.hasten(id, { inMs, gapMs: 0 })
    }
  }

  async #recover(job: ProbeJob): Promise<void> {
    const { prober, recoveries, review } = this.#options
    const seen = await recoveries.timely(job)
    if (seen === undefined) return
    if (!this.#isAble(seen)) return this.#passOn(job)
    // A recovery waits for nobody: the lease sees to it that there is one.
    const attempt = await prober.attempt(seen, { minGapMs: 0, alone: false })
    this.#conclude(job.id, attempt)
    // The pace may be another now; and what it waited for may take longer than it knew: a pause, somebody's trial.
    if ('result' in attempt || 'refused' in attempt) review(job.id)
  }

  /** Undefined where there is nothing to probe; a turn may come after its plan was dropped. */
  async #toProbe(id: string): Promise<Found | undefined> {
    const seen = await glance(this.#options.busbar, id)
    if (seen?.probe !== undefined) return { ...seen, probe: seen.probe }
    this.#options.review(id)
    return undefined
  }

  /** Known before anything is asked of Redis: the turn is then left to a worker that can. */
  #isAble(found: Found): found is Probed {
    return this.#options.prober.isAble(found, (error) => this.#discard(found.provider.id, error))
  }

  /** When nobody can make it, it is overdue one day, and somebody has to say so. */
  #discard(id: string, error: ProberError): void {
    this.#discards.note(id, error)
    this.#options.review(id)
  }

  #conclude(id: string, attempt: Attempt): void {
    const { log } = this.#options.busbar.host
    if ('result' in attempt) log.debug({ provider: id, ...attempt.result }, 'probe tick')
    else if ('discarded' in attempt) this.#discard(id, attempt.discarded)
    else if ('nothing' in attempt)
      log.debug({ provider: id, reason: attempt.nothing.reason }, 'probe tick without a finding')
    else log.debug({ provider: id, ...attempt.refused }, 'probe not begun')
  }

  /** Only transitions are told to every process, so what was found is compared with the pace at which it was found. */
  #watchPace({ provider, snapshot, probe }: Probed, found: HealthStatus, intervalMs: number): void {
    const { state } = provider.everyday ?? provider.peek() ?? snapshot
    const after = { state, lastProbeStatus: found, probeConsecutiveFailures: 0 }
    if (intervalNow(probe, after) !== intervalMs) this.#options.review(provider.id)
  }

  /**
   * To whichever worker takes it next, a few times; then the period passes without a probe.
   */
  async #passOn({ hops = 0, ...job }: ProbeJob): Promise<void> {
    if (hops >= MAX_HOPS) return
    await this.#options.queues.handOn(`pass:${job.id}:${hops + 1}`, { ...job, hops: hops + 1 })
  }
}

const MAX_HOPS = 8
