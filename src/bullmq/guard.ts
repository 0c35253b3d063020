import type { CallOutcome } from '../client/call/execute.js'
import { Group } from '../client/group/group.js'
import { Provider, providerCoreOf } from '../client/provider.js'
import type { ProviderCore } from '../client/provider-core.js'
import { checkArgument } from '../config/check.js'
import { guardSchema, type DeferOn, type GuardSettings } from '../config/guard-options.js'
import { show } from '../config/show.js'
import { ArgumentError } from '../model/errors.js'
import type { Outcome } from '../model/words.js'
import { defer, refusalIn, type GuardedRun, type Refusal } from './deferral.js'
import { checkJob, startLimitOf, workerOf, type GuardedJob } from './job.js'
import { refusedWithin } from './outage-wait.js'

export interface GuardOptions {
  /**
   * A job comes back later than its refusal says by a random time from 0 up to this, doubled with each deferral up to 60 s.
   * ms, 0 to 60 000, default 1 000.
   */
  readonly spreadMs?: number | undefined
  /** After this long of deferral the refusal fails the job's attempt. ms, 0 to 10 years, default 1 day. */
  readonly maxDeferMs?: number | undefined
  /**
   * `refusal` (default): a job whose provider refuses is deferred. `outage`: so is a job whose call failed (`unhealthy` or
   * `timeout`), if the circuit refuses within `outageWaitMs`.
   */
  readonly deferOn?: DeferOn | undefined
  /** With `deferOn: 'outage'`: how long a job whose call failed holds its slot for the circuit. ms, 0 to 600 000, default 1 000. */
  readonly outageWaitMs?: number | undefined
  /** The guard makes no call of the job: for processors that call `execute` themselves. Default false. */
  readonly deferOnly?: boolean | undefined
}

/** A processor as a user writes it. `signal`: aborted by BullMQ when the job is cancelled, and by the provider's `timeoutMs`. */
export type GuardedProcessor<J extends GuardedJob, R> = (
  job: J,
  token: string | undefined,
  signal: AbortSignal,
) => R | Promise<R>

/** An ordinary processor of BullMQ. It has three parameters: BullMQ gives a signal to no other. */
export type Processor<J extends GuardedJob, R> = (job: J, token?: string, signal?: AbortSignal) => Promise<R>

/** The provider that a job needs, or a function that finds it. */
export type ProviderOf<J extends GuardedJob> =
  Provider | ((job: J) => Provider | undefined | Promise<Provider | undefined>)

/**
 * Makes a processor for a worker of BullMQ (5.73.5 or later, the user's own copy) whose jobs an outage costs no attempt. A job
 * whose provider refuses, before the call or by a `CallRefusedError` from inside, is moved to delayed by the refusal's
 * `retryAfterMs` (30 s where that is null) and a random spread. So is one that a group refuses (`GroupExhaustedError`). The job's call is judged as that of `execute`; its own failures
 * spend attempts as ever.
 * @throws ArgumentError naming what makes no sense
 */
export function guard<J extends GuardedJob, R>(
  provider: ProviderOf<J>,
  processor: GuardedProcessor<J, R>,
  options: GuardOptions = {},
): Processor<J, R> {
  const checked = checkArgument(guardSchema, options, 'guard')
  checkProvider(provider)
  if (typeof processor !== 'function') {
    throw new ArgumentError('processor', `processor: expected a function, got ${show(processor)}`)
  }
  const jobGuard = new JobGuard(provider, processor, checked)
  return (job, token, signal) => jobGuard.run(job, token, signal)
}

function checkProvider(provider: unknown): void {
  if (provider instanceof Provider || typeof provider === 'function') return
  throw new ArgumentError(
    'provider',
    `provider: expected a provider, or a function from a job to one, got ${showGiven(provider)}`,
  )
}

/** A group has no circuit of its own, so the guard cannot make the call. */
const showGiven = (given: unknown): string =>
  given instanceof Group
    ? `group ${given.name}: give guard one of its members with deferOnly: true, and call execute of the group in the processor`
    : show(given)

class JobGuard<J extends GuardedJob, R> {
  readonly #provider: ProviderOf<J>
  readonly #processor: GuardedProcessor<J, R>
  readonly #options: GuardSettings
  #limitLogged = false

  constructor(provider: ProviderOf<J>, processor: GuardedProcessor<J, R>, options: GuardSettings) {
    this.#provider = provider
    this.#processor = processor
    this.#options = options
  }

  async run(job: J, token: string | undefined, signal: AbortSignal | undefined): Promise<R> {
    checkJob(job)
    const core = await this.#coreFor(job).catch((error: unknown) => this.#without(error, job, token))
    const run = { core, job, token }
    const mayDefer = this.#mayDefer(run)
    const ended: CallOutcome = {}
    try {
      return await this.#call(run, signal, ended)
    } catch (error) {
      if (!mayDefer || signal?.aborted === true) throw error
      const refusal = refusalIn(error) ?? (await this.#outageOf(run, error, { ended, signal }))
      throw (refusal && (await defer(run, refusal, this.#options))) ?? error
    }
  }

  /** What finds the provider may be refused as well, as where the busbar was closed meanwhile. */
  async #without(error: unknown, job: J, token: string | undefined): Promise<never> {
    const refusal = startLimitOf(workerOf(job)) === 0 ? refusalIn(error) : undefined
    throw (refusal && (await defer({ core: undefined, job, token }, refusal, this.#options))) ?? error
  }

  async #coreFor(job: J): Promise<ProviderCore> {
    const found = this.#provider instanceof Provider ? this.#provider : await this.#provider(job)
    if (found instanceof Provider) return providerCoreOf(found)
    const name = `${job.queueName} ${job.id ?? ''}`.trim()
    throw new ArgumentError('provider', `provider: expected one for job ${name}, got ${showGiven(found)}`)
  }

  /** BullMQ would fail a job for having been deferred too often: such a worker fails it at the first refusal, and says so. */
  #mayDefer({ core, job }: GuardedRun<J>): boolean {
    const limit = startLimitOf(workerOf(job))
    if (limit === 0) return true
    if (!this.#limitLogged) {
      this.#limitLogged = true
      core.context.log.error(
        { provider: core.id, queue: job.queueName, maxStartedAttempts: limit },
        'jobs of this worker are not deferred, because its maxStartedAttempts counts deferrals and fails them: remove that option',
      )
    }
    return false
  }

  /** A job that BullMQ cancelled ends as its processor ends it: that may be an UnrecoverableError. */
  async #call(
    { core, job, token }: GuardedRun<J>,
    signal: AbortSignal | undefined,
    ended: CallOutcome,
  ): Promise<R> {
    const process = async (ours: AbortSignal) => this.#processor(job, token, ours)
    if (this.#options.deferOnly) return process(signal ?? new AbortController().signal)
    let running: Promise<R> | undefined
    try {
      return await core.caller.run((context) => (running = process(context.signal)), signal, ended)
    } catch (error) {
      if (running === undefined || signal?.aborted !== true) throw error
      return await running
    }
  }

  /** With `deferOn: 'outage'`: the refusal that follows a failed call, if it comes in time. */
  async #outageOf(
    { core }: GuardedRun<J>,
    error: unknown,
    { ended, signal }: { readonly ended: CallOutcome; readonly signal: AbortSignal | undefined },
  ): Promise<Refusal | undefined> {
    const { deferOn, deferOnly, outageWaitMs } = this.#options
    if (deferOn !== 'outage') return undefined
    const outcome = deferOnly ? core.caller.outcomeOf(error) : ended.judgement?.outcome
    return isOutage(outcome) ? refusedWithin(core, outageWaitMs, signal) : undefined
  }
}

const isOutage = (outcome: Outcome | undefined): boolean => outcome === 'unhealthy' || outcome === 'timeout'
