import type { ProbeReport } from '../client/probing/probe-ticket.js'
import { intervalNow } from '../rules/probe-interval.js'
import type { Probed } from './prober.js'
import type { ByHandEnd, ByHandJobs, ByHandOptions } from './by-hand-jobs.js'
import { obstacleTo, type Obstacle } from './obstacle.js'
import type { ProbeRecord } from './probe-job.js'
import { findProbe, notProbed, probeHere } from './probe-now.js'
import { needsOf } from './kinds.js'
import type { Registered } from './kinds/kind.js'

/** A request of `busbar.probe()`. */
export interface ByHandRequest {
  readonly id: string
  readonly registered: Registered
  /** Undefined: the probe's own time limit, and `MARGIN_MS`. */
  readonly timeoutMs: number | undefined
}

/**
 * Health checks that are asked for by hand. Where the fleet has a worker that takes such probes, it makes them: it has the code,
 * the secrets and the way to the provider that all its probes have. The request is then a job by hand, put before all that
 * waits. Where there is none, this process makes the probe itself, if it can. A paused queue is honoured either way.
 */
export class ProbesByHand {
  readonly #options: ByHandOptions
  #jobs: Promise<ByHandJobs> | undefined

  constructor(options: ByHandOptions) {
    this.#options = options
  }

  /** @throws UnknownProviderError, RedisUnavailableError */
  async probe({ id, registered, timeoutMs }: ByHandRequest): Promise<ProbeReport> {
    const { busbar, schedule } = this.#options
    const asked = await findProbe(busbar, id)
    if (asked.kind === 'nothing_to_probe') return asked.report
    const found = asked.probed
    const needs = needsOf(found.probe)
    const obstacle = await obstacleTo(schedule, id, needs)
    if (obstacle !== undefined) return this.#without(obstacle, found, registered)
    const end = await this.#byFleet(found, needs, timeoutMs ?? found.probe.timeoutMs + MARGIN_MS)
    if (end.kind === 'ended') return reportOf(end.record, end.worker)
    if (end.kind === 'unknown') return notProbed(id, 'no_result', end.reason)
    // A worker that had begun all the same began within this.
    const sinceMs = Math.ceil(found.provider.storeTimeMs - found.snapshot.at) + CLOCK_ERROR_MS
    return this.#without(end.obstacle, found, registered, sinceMs)
  }

  async #byFleet(
    { provider: { id }, snapshot, probe }: Probed,
    needs: string,
    timeoutMs: number,
  ): Promise<ByHandEnd> {
    // Only where it is needed: it loads BullMQ.
    this.#jobs ??= import('./by-hand-jobs.js').then(({ ByHandJobs }) => new ByHandJobs(this.#options))
    const intervalMs = intervalNow(probe, snapshot)
    return (await this.#jobs).make({ id, needs, intervalMs, atMs: snapshot.at, timeoutMs })
  }

  async #without(
    { code, reason, here }: Obstacle,
    found: Probed,
    registered: Registered,
    minGapMs = 0,
  ): Promise<ProbeReport> {
    const { id } = found.provider
    if (!here) return notProbed(id, code, reason)
    const report = await probeHere(this.#options.busbar, found, registered, minGapMs)
    return !report.probed && report.code === 'kind_elsewhere' ? notProbed(id, code, reason) : report
  }
}

function reportOf(record: ProbeRecord, worker: string): ProbeReport {
  if ('skipped' in record) {
    const { id, code, skipped, retryAfterMs = null } = record
    return notProbed(id, code, skipped, retryAfterMs)
  }
  const { trial = false, ...result } = record
  return { ...result, probed: true, trial, worker }
}

/**
 * Beyond the probe's own time limit, ms: for the queue, and for the job of a worker that was killed, which another takes up
 * within 4 s.
 */
const MARGIN_MS = 5_000
/** This process's idea of Redis's time may be so far off, ms. */
const CLOCK_ERROR_MS = 500
