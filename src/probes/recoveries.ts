import type { Busbar } from '../client/busbar.js'
import type { Found } from './attempt.js'
import { look, type Seen } from './look.js'
import type { ProbeJob } from './queue.js'
import type { ProbeQueues } from './queues.js'
import type { Timers } from './timers.js'

export interface RecoveriesOptions {
  readonly busbar: Busbar
  readonly queues: ProbeQueues
  readonly timers: Timers
  /** Asks for another look at what is planned for a provider. */
  readonly review: (id: string) => void
}

/**
 * One probe when the cooldown of an open circuit ends, or the pause of one: jobs of the queue, each bearing the
 * generation that it is for, so that there is one for the fleet, whoever else adds it.
 */
export class Recoveries {
  readonly #options: RecoveriesOptions
  /** When the next look at a provider is planned, by this process's clock. */
  readonly #planned = new Map<string, number>()

  constructor(options: RecoveriesOptions) {
    this.#options = options
  }

  /** Whoever sees the circuit open adds it. When it had its time and the circuit is still half-open, whoever tried is gone: again. */
  async plan({ provider: { id, settings }, probe, snapshot }: Seen): Promise<void> {
    const { state, generation, retryAfterMs, throttledForMs, trialFreeInMs, at, probeStartedAt } = snapshot
    if (settings.breaker.recovery === 'traffic') return
    if (
      probe === undefined ||
      probe.kind === 'unread' ||
      state === 'closed' ||
      (state === 'open' && retryAfterMs === null)
    )
      return
    const { queues } = this.#options
    const job = { do: 'probe', id, why: 'recovery', generation } as const
    const waitMs = Math.max(retryAfterMs ?? 0, throttledForMs, trialFreeInMs)
    const hadMs = Math.max(settings.breaker.trialLeaseMs, probe.timeoutMs)
    if (state === 'open') await queues.add(`recover:${id}:${generation}`, job, waitMs)
    else if (waitMs === 0 && at - (probeStartedAt ?? 0) > hadMs) {
      await queues.add(`recover:${id}:${generation}:again`, job)
    }
    this.#lookAgain(id, waitMs + hadMs + MARGIN_MS)
  }

  /** The provider of a recovery whose time has come, read afresh. */
  async timely(job: ProbeJob): Promise<Found | undefined> {
    const seen = await look(this.#options.busbar, job.id)
    if (seen?.probe === undefined || job.generation !== seen.snapshot.generation) return undefined
    const { state, retryAfterMs } = seen.snapshot
    const earlyMs = state === 'open' ? (retryAfterMs ?? 0) : 0
    if (earlyMs > 0) await this.#putOff(job, earlyMs)
    return earlyMs > 0 ? undefined : { ...seen, probe: seen.probe }
  }

  /** The queue waits by the clocks of its workers. Where those are far apart it would not wait at all, so this process does. */
  async #putOff({ hops = 0, ...job }: ProbeJob, earlyMs: number): Promise<void> {
    const { busbar, queues, timers } = this.#options
    // Not by the name of the job that runs: the queue would take the two for one.
    const name = `recover:${job.id}:${job.generation}:early:${hops + 1}`
    const again = { ...job, hops: hops + 1 }
    if (earlyMs <= CLOCKS_AGREE_MS && hops < MAX_PUT_OFF) return queues.add(name, again, earlyMs)
    timers.later(earlyMs, () => {
      queues.add(name, again).catch((error: unknown) => {
        busbar.host.log.warn({ err: error, provider: job.id }, 'could not add a recovery probe')
      })
    })
  }

  /** One planned look a provider: an earlier one stands. */
  #lookAgain(id: string, inMs: number): void {
    const now = performance.now()
    if ((this.#planned.get(id) ?? 0) > now) return
    this.#planned.set(id, now + inMs)
    this.#options.timers.later(inMs, () => {
      this.#planned.delete(id)
      this.#options.review(id)
    })
  }
}

/** A recovery that comes earlier than this was planned by another clock, ms. */
const CLOCKS_AGREE_MS = 500
const MAX_PUT_OFF = 8
/** What a recovery may be late by, ms. */
const MARGIN_MS = 1_000
