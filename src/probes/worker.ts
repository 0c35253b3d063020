import type { Busbar, CheckedProbeWorkerOptions, ProbeWorker } from '../client/busbar.js'
import { connectionErrors } from '../client/log.js'
import type { ProbeTicket } from '../client/probing.js'
import { isBusbarError } from '../model/errors.js'
import type { ProbeFinding, ProbeResult, ProbeSettings } from '../model/probe.js'
import type { HealthStatus } from '../model/words.js'
import { Discards } from './discards.js'
import { look, type Seen } from './look.js'
import { LoopWatch } from './loop-watch.js'
import { Neighbours } from './neighbours.js'
import { intervalNow, minGapMs } from './plan.js'
import type { ProbeJob, QueueConnection } from './queue.js'
import { ProbeQueues } from './queues.js'
import { Reconciler } from './reconciler.js'
import { ProbeRunner } from './run.js'

/** How this process reaches the queues of its fleet. */
export interface QueueAccess {
  readonly prefixes: readonly string[]
  readonly openConnection: () => QueueConnection
}

/**
 * Makes this process one of those that run the fleet's probes.
 * @throws RedisUnavailableError
 */
export async function startProbeWorker(
  busbar: Busbar,
  access: QueueAccess,
  { concurrency, ...registered }: CheckedProbeWorkerOptions,
): Promise<ProbeWorker> {
  const { counters, log } = busbar.host
  const queues: ProbeQueues = new ProbeQueues({
    ...access,
    concurrency,
    process: (job) => ticks.run(job),
    onError: connectionErrors(log, counters, 'probe queue error'),
  })
  const reconciler: Reconciler = new Reconciler(busbar, queues)
  const ticks = new Ticks(busbar, queues, reconciler, new ProbeRunner(busbar.host.worker, registered))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    reconciler.close()
    closing ??= queues.close()
    return closing
  }
  try {
    await reconciler.start()
  } catch (error) {
    await close()
    throw error
  }
  queues.run()
  return { close, [Symbol.asyncDispose]: close }
}

/** Runs the probes that one worker takes from the queues. */
class Ticks {
  readonly #busbar: Busbar
  readonly #queues: ProbeQueues
  readonly #reconciler: Reconciler
  readonly #runner: ProbeRunner
  readonly #discards: Discards
  readonly #loop = new LoopWatch()
  readonly #neighbours = new Neighbours()

  constructor(busbar: Busbar, queues: ProbeQueues, reconciler: Reconciler, runner: ProbeRunner) {
    this.#busbar = busbar
    this.#queues = queues
    this.#reconciler = reconciler
    this.#runner = runner
    this.#discards = new Discards(busbar.host)
  }

  /** Never rejects: a tick that failed would say nothing that the log does not. */
  async run(job: ProbeJob): Promise<void> {
    const { counters, log } = this.#busbar.host
    try {
      await this.#probe(job)
    } catch (error) {
      if (isBusbarError(error, 'provider_removed')) {
        this.#reconciler.request(job.id)
        return
      }
      counters.connectionErrors += 1
      log.warn({ err: error, provider: job.id }, 'a probe could not begin, or its result not be recorded')
    }
  }

  async #probe(job: ProbeJob): Promise<void> {
    const { id, why = 'tick' } = job
    const seen = await look(this.#busbar, id)
    // A tick may outlive its scheduler. The reconciler looks again, and removes it if it is still there.
    if (seen?.probe === undefined) {
      this.#reconciler.request(id)
      return
    }
    const { probe, provider, snapshot } = seen
    if (why === 'recovery') {
      if (job.generation !== snapshot.generation) return
      const earlyMs = snapshot.state === 'open' ? (snapshot.retryAfterMs ?? 0) : 0
      if (earlyMs > 0) return this.#putOff(job, earlyMs)
    }
    // Before it asks: the period is then left to a worker that can.
    const unable = this.#runner.unable(probe)
    if (unable !== undefined) {
      this.#discards.note(id, unable)
      return this.#passOn(job)
    }
    const admission = await provider.beginProbe({
      minGapMs: minGapMs(probe, why, snapshot),
      timeoutMs: probe.timeoutMs,
    })
    if ('refused' in admission) {
      const { code, reason } = admission.refused
      this.#busbar.host.log.debug({ provider: id, why, code, reason }, 'probe not begun')
      // What it waited for may take longer than it knew: a pause, somebody's trial.
      if (why === 'recovery') this.#reconciler.request(id)
      return
    }
    // The admission vouches for the settings in force when it was given, and those that were read are to be the same.
    const revision = provider.peek()?.settingsRevision
    if (revision !== snapshot.settingsRevision) return admission.ticket.abandon()
    const finding = await this.#find(seen, probe)
    await this.#end(seen, admission.ticket, finding)
    if ('status' in finding && paceMayChange(seen, probe, finding.status)) this.#reconciler.request(id)
  }

  /** Runs it, and sees whether what was found is the provider's own doing. */
  async #find({ provider, snapshot }: Seen, probe: ProbeSettings): Promise<ProbeFinding> {
    const heard = { ...snapshot, settingsSetAt: provider.settingsOrigin.setAt }
    const subject = { providerId: provider.id, heard }
    const { value: finding, stalledMs } = await this.#loop.during(() => this.#runner.run(probe, subject))
    if (!('status' in finding)) return finding
    if (isOwnDelay(probe, finding, stalledMs)) {
      return {
        prober: true,
        reason: 'the event loop of this worker stood still while it waited for the answer',
      }
    }
    if (finding.status === 'healthy' || finding.status === 'degraded') {
      this.#neighbours.answered(probe)
      return finding
    }
    if (finding.suspectLocal === true && (await this.#neighbours.allUnreachable(probe))) {
      return { prober: true, reason: `this worker reaches no other host either (${finding.detail})` }
    }
    return finding
  }

  async #end({ provider }: Seen, ticket: ProbeTicket, finding: ProbeFinding): Promise<void> {
    const { log } = this.#busbar.host
    if ('status' in finding) {
      await ticket.finish(finding)
      log.debug({ provider: provider.id, ...finding }, 'probe tick')
      return
    }
    // It says nothing about the provider; the lease, if there was one, goes back.
    await ticket.abandon()
    if ('prober' in finding) this.#discards.note(provider.id, finding)
    else log.debug({ provider: provider.id, reason: finding.reason }, 'probe tick without a finding')
  }

  /** The queue waits by the clocks of its workers. Where those are far apart it would not wait at all, so this process does. */
  async #putOff({ hops = 0, ...job }: ProbeJob, earlyMs: number): Promise<void> {
    // Not by the name of the job that runs: the queue would take the two for one.
    const name = `recover:${job.id}:${job.generation}:early:${hops + 1}`
    const again = { ...job, hops: hops + 1 }
    if (earlyMs <= CLOCKS_AGREE_MS && hops < MAX_HOPS) return this.#queues.add(name, again, earlyMs)
    this.#reconciler.later(earlyMs, () => {
      this.#queues.add(name, again).catch((error: unknown) => {
        this.#busbar.host.log.warn({ err: error, provider: job.id }, 'could not add a recovery probe')
      })
    })
  }

  /**
   * To whichever worker takes it next, a few times; then the period passes without a probe. At once: this process is the
   * last in the line of those that wait for a tick.
   */
  async #passOn({ hops = 0, ...job }: ProbeJob): Promise<void> {
    if (hops >= MAX_HOPS) return
    await this.#queues.add(`pass:${job.id}:${hops + 1}`, { ...job, hops: hops + 1 })
  }
}

/**
 * Whether what was found may ask for another pace. Only transitions are told to every process, so the last look at a
 * provider does not know of a single failure.
 */
function paceMayChange({ provider, snapshot }: Seen, probe: ProbeSettings, found: HealthStatus): boolean {
  const { state } = provider.peek() ?? snapshot
  const after = { state, lastProbeStatus: found, probeConsecutiveFailures: 0 }
  return intervalNow(probe, after) !== intervalNow(probe, snapshot)
}

/** Whether the worker's own standstill may have made it late, or slow. */
function isOwnDelay(probe: ProbeSettings, { status, elapsedMs }: ProbeResult, stalledMs: number): boolean {
  if (probe.kind === 'heartbeat') return false // by Redis's clock alone
  if (status === 'timeout') return stalledMs > probe.timeoutMs * STALL_SHARE
  const slowMs = 'degradedMs' in probe ? probe.degradedMs : undefined
  return (
    status === 'degraded' && slowMs !== undefined && elapsedMs > slowMs && elapsedMs - stalledMs <= slowMs
  )
}

/** A standstill for this share of the time limit makes a timeout the worker's own. */
const STALL_SHARE = 0.25
const MAX_HOPS = 8
/** A recovery that comes earlier than this was planned by another clock. */
const CLOCKS_AGREE_MS = 500
