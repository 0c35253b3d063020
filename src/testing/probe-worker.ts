import type { BusbarCore } from '../client/busbar-core.js'
import type { CheckedProbeWorkerOptions, ProbeWorker } from '../client/probing/probe-worker.js'
import { isBusbarError } from '../model/errors.js'
import type { Timer } from '../model/ports/time.js'
import { logEnd, Prober, type ProbeEnd } from '../probes/prober.js'
import { DiscardLog } from '../probes/discard-log.js'
import { readProvider, type Read } from '../probes/read-provider.js'
import { minGapMs } from '../probes/probe-gap.js'
import { ProbeSlots } from '../probes/probe-slots.js'
import { ProbeRunner } from '../probes/probe-runner.js'
import { intervalNow } from '../rules/probe-interval.js'

/** Begins to probe. @throws RedisUnavailableError */
export async function startTestProbes(
  busbar: BusbarCore,
  options: CheckedProbeWorkerOptions,
): Promise<ProbeWorker> {
  const worker = new TestProbeWorker(busbar, options)
  await worker.start()
  return worker
}

/**
 * Probes without a queue: this worker's own timers plan them, on the test clock. The fleet still probes once in an
 * interval, because admission refuses a probe too soon after another, as it does in Redis. Unlike in Redis, the first
 * probe of a provider comes one whole interval after it was planned, so that a test knows when.
 */
class TestProbeWorker implements ProbeWorker {
  readonly #busbar: BusbarCore
  readonly #prober: Prober
  readonly #discards: DiscardLog
  readonly #slots: ProbeSlots
  /** The timer of each provider: of its next probe, or of the next look where there is nothing to probe now. */
  readonly #planned = new Map<string, { readonly timer: Timer; readonly at: number }>()
  readonly #underway = new Set<string>()
  #pass: Timer | undefined
  #unwatch: (() => void) | undefined
  #closed = false

  constructor(busbar: BusbarCore, { concurrency, ...registered }: CheckedProbeWorkerOptions) {
    this.#busbar = busbar
    this.#prober = new Prober(new ProbeRunner(busbar.context.worker, registered, busbar.context))
    this.#discards = new DiscardLog(busbar.context)
    this.#slots = new ProbeSlots(concurrency)
  }

  async start(): Promise<void> {
    this.#unwatch = this.#busbar.watch((change) => {
      if (change === 'gap') void this.#reviewAll()
      else if (change.events.length > 0) void this.#review(change.providerId)
    })
    this.#pass = this.#busbar.context.timers.every(PASS_MS, () => void this.#reviewAll())
    for (const id of await this.#busbar.providers()) await this.#review(id)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch?.()
    this.#pass?.clear()
    for (const { timer } of this.#planned.values()) timer.clear()
    this.#planned.clear()
    await this.#slots.empty()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #reviewAll(): Promise<void> {
    return this.#guarded(async () => {
      for (const id of await this.#busbar.providers()) await this.#review(id)
    })
  }

  /** Plans the next probe of a provider by what the store knows of it now, `leastMs` from now or later. */
  #review(id: string, leastMs = 0): Promise<void> {
    return this.#guarded(async () => {
      const seen = await readProvider(this.#busbar, id)
      const inMs = seen === undefined ? Infinity : Math.max(leastMs, nextInMs(seen))
      this.#plan(id, inMs, () => void (seen?.probe === undefined ? this.#review(id) : this.#turn(id)))
      if (seen?.probe !== undefined) await seen.provider.announceOverdue(seen.snapshot)
    })
  }

  #plan(id: string, inMs: number, due: () => void): void {
    const { clock, timers } = this.#busbar.context
    const at = clock.now() + inMs
    const planned = this.#planned.get(id)
    // A probe that is due now is about to fire.
    if (planned?.at === at) return
    planned?.timer.clear()
    this.#planned.delete(id)
    if (this.#closed || inMs === Infinity) return
    this.#planned.set(id, { at, timer: timers.set(Math.max(1, inMs), due) })
  }

  async #turn(id: string): Promise<void> {
    this.#planned.delete(id)
    if (this.#underway.has(id) || !this.#slots.free) return
    this.#underway.add(id)
    this.#slots.reserve()(1)
    let leastMs = 0
    await this.#slots.all([id], () =>
      this.#guarded(async () => {
        leastMs = await this.#probe(id)
      }),
    )
    this.#underway.delete(id)
    if (!this.#closed) await this.#review(id, leastMs)
  }

  /** Answers the least wait until the next probe, ms. */
  async #probe(id: string): Promise<number> {
    const seen = await readProvider(this.#busbar, id)
    // Only this version writes to a store in memory, so that every probe can be read.
    if (seen?.probe === undefined || seen.probe.kind === 'unread') return 0
    const { probe, snapshot } = seen
    const intervalMs = intervalNow(probe, snapshot)
    const ability = this.#prober.able({ ...seen, probe })
    if (ability.kind === 'prober_error') {
      this.#discards.note(id, ability)
      return intervalMs
    }
    const gapMs = snapshot.state === 'half_open' ? 0 : minGapMs(probe, intervalMs)
    const end = await this.#prober.probe(ability.probed, { minGapMs: gapMs, alone: false })
    this.#conclude(id, end)
    if (end.kind === 'refused') return end.refusal.retryAfterMs ?? intervalMs
    return end.kind === 'judged' ? 0 : intervalMs
  }

  #conclude(id: string, end: ProbeEnd): void {
    if (end.kind === 'prober_error') this.#discards.note(id, end)
    else logEnd(this.#busbar.context.log, id, end)
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#closed || isBusbarError(error, 'provider_removed')) return
      const { counters, log } = this.#busbar.context
      counters.connectionErrors += 1
      log.warn({ err: error }, 'a probe could not be planned, could not begin, or its result not be recorded')
    }
  }
}

/** ms until the next probe, or until the end of a mark that ended them; Infinity where none is to come. */
function nextInMs({ provider, probe, snapshot }: Read): number {
  if (probe === undefined || probe.kind === 'unread') return snapshot.markForMs ?? Infinity
  const { at, probeStartedAt, lastProbeAt, state, retryAfterMs, throttledForMs, trialFreeInMs } = snapshot
  const lastAt = Math.max(probeStartedAt ?? 0, lastProbeAt ?? 0)
  const inMs = (lastAt === 0 ? at : lastAt) + intervalNow(probe, snapshot) - at
  if (provider.settings.breaker.recovery === 'traffic' || state !== 'open' || retryAfterMs === null)
    return inMs
  // A probe more at the end of the cooldown, which may close the circuit.
  return Math.min(inMs, Math.max(retryAfterMs, throttledForMs, trialFreeInMs))
}

/** How often all providers are looked at, ms. */
const PASS_MS = 30_000
