import type { BusbarCore } from '../client/busbar-core.js'
import { isBusbarError } from '../model/errors.js'
import type { Schedule } from '../model/ports/schedule.js'
import type { ProberError } from '../model/probe.js'
import type { HealthStatus } from '../model/words.js'
import { intervalNow } from '../rules/probe-interval.js'
import { logEnd, type Found, type Probed, type ProbeEnd, type Prober } from './prober.js'
import type { DiscardLog } from './discard-log.js'
import { minGapMs } from './probe-gap.js'
import type { ProbeJob, ProbeRecord } from './probe-job.js'
import type { ProbeSlots } from './probe-slots.js'
import { cachedOrRead, probeOf, readProvider, type Seen } from './read-provider.js'

export interface JobRunnerOptions {
  readonly busbar: BusbarCore
  readonly schedule: Schedule
  readonly slots: ProbeSlots
  readonly prober: Prober
  readonly discards: DiscardLog
  /** Asks for another look at what is planned for a provider. */
  readonly review: (id: string) => void
}

/** One probe of a job. */
interface Turn {
  readonly id: string
  readonly intervalMs: number
  readonly why: ProbeJob['why']
  readonly at: number
  readonly notAfterMs: number | undefined
  /** Another worker had the job, and may be at it still. */
  readonly again: boolean
  /** The provider has answered: another probe may take its place. */
  readonly made: () => void
}

/** Makes the probes of a job, and what follows from each. */
export class JobRunner {
  readonly #options: JobRunnerOptions

  constructor(options: JobRunnerOptions) {
    this.#options = options
  }

  /** Never rejects. Answers what became of each probe. */
  run({ why, at, notAfterMs, providers }: ProbeJob, again: boolean): Promise<ProbeRecord[]> {
    return this.#options.slots.all(providers, ([id, intervalMs], made) =>
      this.#guarded({ id, intervalMs, why, at, notAfterMs, again, made }),
    )
  }

  /** A failure here is logged: as the job's own it would say nothing more. */
  async #guarded(turn: Turn): Promise<ProbeRecord> {
    const { busbar, review } = this.#options
    const { id } = turn
    try {
      return { id, ...(await this.#make(turn)) }
    } catch (error) {
      if (isBusbarError(error, 'provider_removed')) {
        review(id)
        return { id, skipped: 'it was removed', code: error.code }
      }
      const { counters, log } = busbar.context
      counters.connectionErrors += 1
      log.warn({ err: error, provider: id }, 'a probe could not begin, or its result not be recorded')
      const code = isBusbarError(error) ? error.code : 'no_result'
      return { id, skipped: 'it could not begin, or its result not be recorded', code }
    }
  }

  async #make(turn: Turn): Promise<Made> {
    const { prober, review } = this.#options
    const seen = await this.#read(turn)
    if (!isFound(seen)) return this.#skip(turn, NOTHING_TO_PROBE)
    const skipped = skipOf(turn, seen)
    if (skipped !== undefined) return this.#skip(turn, skipped)
    const ability = prober.able(seen)
    if (ability.kind === 'prober_error') {
      // Known before anything is asked of Redis: the turn is then lost to this worker.
      this.#discard(turn.id, ability)
      return recordOf(ability)
    }
    const { probed } = ability
    if (turn.why === 'scheduled') this.#noteLag(turn, probed)
    const end = await prober.probe(probed, beginningOf(turn, probed), turn.made)
    this.#conclude(turn.id, end)
    if (turn.why === 'recovery') {
      // The interval may be another now; and what it waited for may take longer than it knew: a pause, a trial.
      review(turn.id)
    } else if (end.kind === 'judged') this.#watchInterval(probed, end.result.status, turn.intervalMs)
    // The process that began the other may be dead, and this turn would be lost with it. Of a job by hand none is.
    else if (turn.why !== 'by_hand' && end.kind === 'refused' && end.refusal.code === 'probed_recently') {
      const inMs = Math.ceil(end.refusal.retryAfterMs ?? 0)
      await this.#options.schedule.bringForward(turn.id, { inMs, gapMs: 0 })
    }
    return recordOf(end)
  }

  #noteLag({ at }: Turn, { provider }: Probed): void {
    this.#options.busbar.context.observers.meters?.probeLag.add(provider.storeTimeMs - at)
  }

  /** Undefined where there is nothing to probe: a turn may come after its plan was dropped. */
  async #read({ id, why, again }: Turn): Promise<Seen | undefined> {
    const { busbar } = this.#options
    const byHand = why === 'by_hand'
    const afresh = again || byHand || why === 'recovery'
    const seen = await (afresh ? readProvider(busbar, id) : cachedOrRead(busbar, id))
    // A mark ends the turns. Of a probe by hand it is for the admission to refuse it, with its reason.
    return byHand && seen !== undefined ? { ...seen, probe: probeOf(seen.provider) } : seen
  }

  #skip({ id }: Turn, skipped: Made): Made {
    this.#options.review(id) // the plan may be another now
    return skipped
  }

  /** If no worker can make it, the probe becomes overdue. The review makes sure that one worker announces that. */
  #discard(id: string, error: ProberError): void {
    this.#options.discards.note(id, error)
    this.#options.review(id)
  }

  #conclude(id: string, end: ProbeEnd): void {
    if (end.kind === 'prober_error') this.#discard(id, end)
    else logEnd(this.#options.busbar.context.log, id, end)
  }

  /** Only transitions are announced to every process, so what was found is compared with the interval at which it was found. */
  #watchInterval({ provider, snapshot, probe }: Probed, found: HealthStatus, intervalMs: number): void {
    const { state } = provider.knownFree ?? provider.peek() ?? snapshot
    const after = { state, lastProbeStatus: found, probeConsecutiveFailures: 0 }
    if (intervalNow(probe, after) !== intervalMs) this.#options.review(provider.id)
  }
}

type Made = DistributiveOmit<ProbeRecord, 'id'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

const isFound = (seen: Seen | undefined): seen is Found => seen?.probe !== undefined

const NOTHING_TO_PROBE: Made = { skipped: 'there is nothing to probe', code: 'no_probe' }

/** Why a turn is over before it began. */
function skipOf({ why, again, at, notAfterMs }: Turn, { provider, snapshot }: Seen): Made | undefined {
  const { state, retryAfterMs, lastProbeAt } = snapshot
  if (again && (lastProbeAt ?? 0) >= at)
    return { skipped: 'a result has come since', code: 'probed_recently' }
  if (notAfterMs !== undefined && provider.storeTimeMs > notAfterMs)
    return { skipped: 'nobody waits for it any more', code: 'no_result' }
  if (why === 'recovery' && state === 'open' && (retryAfterMs ?? 1) > 0)
    return { skipped: 'its cooldown lasts longer', code: 'circuit_open' }
  return undefined
}

/**
 * Redis is asked whether it may begin, unless there can be no other: the turn before has ended by now, the next has not come,
 * and no worker had this one before.
 */
function beginningOf({ why, at, intervalMs, again }: Turn, { provider, snapshot, probe }: Probed) {
  // By hand: the answer is wanted now, however recent the last probe was.
  if (why === 'by_hand') return { minGapMs: 0, alone: false }
  // A recovery waits for no other probe: the lease sees to it that there is one.
  if (why === 'recovery' && snapshot.state !== 'closed') return { minGapMs: 0, alone: false }
  const gapMs = minGapMs(probe, intervalMs)
  const waitedMs = provider.storeTimeMs - at
  const prompt = waitedMs > -MAX_CLOCK_ERROR_MS && waitedMs < intervalMs
  return { minGapMs: gapMs, alone: !again && prompt && probe.timeoutMs <= gapMs }
}

function recordOf(end: ProbeEnd): Made {
  switch (end.kind) {
    case 'judged': {
      const { status, detail, elapsedMs } = end.result
      return { status, detail, elapsedMs, ...(end.trial ? { trial: true } : {}) }
    }
    case 'refused': {
      const { code, reason, retryAfterMs } = end.refusal
      return { skipped: reason, code, ...(retryAfterMs === null ? {} : { retryAfterMs }) }
    }
    case 'prober_error':
      return { skipped: end.reason, code: 'not_here' }
    case 'nothing_yet':
      return { skipped: end.reason, code: 'nothing_yet' }
    default:
      return end satisfies never
  }
}

/** This process's idea of Redis's time may be so far behind, ms. */
const MAX_CLOCK_ERROR_MS = 500
