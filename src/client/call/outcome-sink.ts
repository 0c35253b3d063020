import type { OnRedisDown } from '../../config/options.js'
import { isBusbarError, isProviderTrouble, ProviderRemovedError } from '../../model/errors.js'
import type { Run } from '../../model/ports/store-requests.js'
import type { BreakerSettings } from '../../model/settings.js'
import { Fallback } from '../admission/fallback.js'
import { callRun, type CallEnd } from '../admission/permit.js'
import type { ProcessContext } from '../context.js'
import type { LocalCircuit } from '../outage/local-circuit.js'
import type { Outbox } from '../outbox/outbox.js'
import type { ProviderSession } from '../sync/provider-session.js'

export interface OutcomeSinkOptions {
  readonly context: ProcessContext
  readonly session: ProviderSession
  readonly outbox: Outbox
  readonly onRedisDown: OnRedisDown
}

/** Where the outcomes of one provider's calls go: into the outbox, or, without the store, to what decides in its place. */
export class OutcomeSink {
  readonly #context: ProcessContext
  readonly #session: ProviderSession
  readonly #outbox: Outbox
  /** The provider as it is decided by without the store. */
  readonly fallback: Fallback
  /** Whether every outcome is waited for. */
  strict = false

  constructor({ context, session, outbox, onRedisDown }: OutcomeSinkOptions) {
    this.#context = context
    this.#session = session
    this.#outbox = outbox
    this.fallback = new Fallback(context, session, onRedisDown, (run, circuit) =>
      this.#sendFallback(run, circuit),
    )
  }

  /** Whether this process alone has seen enough failures in a row to open the circuit. */
  get tripping(): boolean {
    return this.#outbox.failuresInRow >= (this.#breaker.failureThreshold ?? Infinity)
  }

  /**
   * How a call of `execute` ended: its caller waits only for what trips the circuit.
   * @throws ProviderRemovedError, RedisUnavailableError; the outbox counts and logs what it gives up
   */
  async end(end: CallEnd, generation: number): Promise<void> {
    const run = this.#capped(callRun(end, generation, ''))
    if (this.#session.withoutStore) this.#keep(run)
    else if (this.#post(run) && this.tripping) await this.#outbox.attempted()
  }

  /**
   * Strict: resolves when the outcome has been applied, rejects when it could not be sent. Cached: resolves at once
   * for what may wait; what goes at once is waited for, so that bad news is known when this resolves, but an error
   * is the outbox's, which sends it again.
   */
  async send(given: Run): Promise<void> {
    const run = this.#capped(given)
    if (this.#session.withoutStore) {
      this.#keep(run)
      return
    }
    if (this.strict || this.#session.cache.mode === 'stopped') return this.#outbox.commit(run)
    if (this.#post(run)) await this.#outbox.attempted().catch(ignoreOutage)
  }

  /** How a call ended that needed no permit. */
  record(end: CallEnd): Promise<void> {
    const { generation } = this.#session.withoutStore ? this.fallback : this.#session.cache
    return this.send(callRun(end, generation, ''))
  }

  /** Puts an outcome into the outbox. A pause holds in this process at once. True when it goes at once. */
  #post(run: Run): boolean {
    // Only while the circuit is closed can good news wait: in any other state it may be what closes it.
    const urgent = !this.#session.cache.unblocked
    if (run.outcome === 'throttled') this.#session.cache.throttle(run.retryAfterMs)
    return this.#outbox.add(run, urgent)
  }

  /**
   * Without the store: the outcome decides here, if anything does. In an outage it is kept for the history. A provider that
   * is cut off alone may stay so until a person mends it, so its outcomes are counted as lost.
   */
  #keep(run: Run, local?: LocalCircuit, token = run.token): void {
    if (this.#session.removed) {
      this.#context.counters.outcomesLost += run.count
      throw new ProviderRemovedError(this.#session.id)
    }
    this.fallback.judge(run, local)
    if (this.#context.watch.lost) this.#outbox.add({ ...run, generation: NO_GENERATION, token })
    else this.#context.counters.outcomesLost += run.count
  }

  /** A call that was admitted without the store decides nothing there, whenever it ends. */
  async #sendFallback(run: Run, local: LocalCircuit | undefined): Promise<void> {
    if (!this.#session.withoutStore) return this.send({ ...run, generation: NO_GENERATION, token: '' })
    this.#keep(this.#capped(run), local, '')
  }

  /** No provider may keep the fleet away for longer than the settings let it. */
  #capped(run: Run): Run {
    const { maxThrottleMs } = this.#breaker
    return run.retryAfterMs > maxThrottleMs ? { ...run, retryAfterMs: maxThrottleMs } : run
  }

  get #breaker(): BreakerSettings {
    return this.#session.settings.settings.breaker
  }
}

/** No circuit is ever in it: such an outcome enters the history alone. */
const NO_GENERATION = 0

/** An outcome that the outbox tries again, or gives up, is no error of its caller; a removed provider or a closed busbar is. */
const ignoreOutage = (error: unknown): void => {
  if (isBusbarError(error, 'redis_unavailable') || isBusbarError(error, 'command_late')) return
  if (!isProviderTrouble(error)) throw error
}
