import type { ProcessContext } from '../context.js'
import type { BreakerSettings } from '../../model/settings.js'
import { isDoubtful, tryAgainInMs, type OwnRun as Reported } from '../../rules/doubt.js'
import { UNTRIED } from '../../rules/domains.js'
import type { SnapshotCache } from './snapshot-cache.js'

/** What it needs of the snapshot: the generation of now, and whom to tell of a doubt. */
export type KnownGeneration = Pick<SnapshotCache, 'generation' | 'doubt'>

type Process = Pick<ProcessContext, 'clock' | 'failureDomain' | 'incarnation'>

/**
 * One process's own run of failures of one provider, while a quorum is set, and its doubt in itself.
 *
 * A process whose calls all fail may be broken itself. Once its run is long or old enough it doubts itself: it refuses its
 * calls, and tries one after 1 s, then after 2 s, 4 s, and so on up to the cooldown. A success of a call that began after the
 * doubt ends it, and so does each transition of the circuit. The store judges by the same rule, from what each batch says.
 *
 * - `sure`      no doubt: calls are decided as usual.
 * - `doubtful`  calls are refused here, until the next try; see `OwnCircuit`.
 *
 * `cache.free` is false while it is doubtful, so that the hot path looks at nothing else.
 */
export class OwnRun {
  readonly #context: Process
  readonly #clock: ProcessContext['clock']
  readonly #cache: KnownGeneration
  readonly #breaker: () => BreakerSettings
  readonly #random: () => number
  /** Whether this process has ever had a success of the provider. */
  tried = false
  #failures = 0
  #since = 0
  #generation = 0
  #doubt: { tries: number; nextAt: number; tryingUntil: number } | undefined

  /** `random`: draws 0 to 1, of the pauses between tries. */
  constructor(
    context: Process,
    cache: KnownGeneration,
    breaker: () => BreakerSettings,
    random: () => number = Math.random,
  ) {
    this.#random = random
    this.#context = context
    this.#clock = context.clock
    this.#cache = cache
    this.#breaker = breaker
  }

  /** Failures of calls. `first`: none came since the last success. */
  failed(count: number, generation: number, first: boolean): void {
    const breaker = this.#breaker()
    if (breaker.quorum === 1 || generation !== this.#cache.generation) return
    const now = this.#clock.now()
    const goesOn = this.doubtful || (!first && generation === this.#generation)
    if (!goesOn) {
      this.#failures = 0
      this.#since = now
      this.#generation = generation
    }
    this.#failures += count
    if (this.doubtful || !isDoubtful(this.#reported(now), breaker)) return
    this.#doubt = { tries: 0, nextAt: now + this.#pauseMs(0), tryingUntil: 0 }
    this.#cache.doubt(generation)
  }

  /** Whether it doubts itself: calls are not to be decided as usual. */
  get doubtful(): boolean {
    if (this.#doubt === undefined) return false
    if (this.#generation === this.#cache.generation && this.#breaker().quorum > 1) return true
    this.#end()
    return false
  }

  /** Time until the next try, ms; 0: one may begin now. */
  get nextTryInMs(): number {
    if (this.#doubt === undefined) return 0
    const { nextAt, tryingUntil } = this.#doubt
    return Math.max(0, Math.ceil(Math.max(nextAt, tryingUntil) - this.#clock.now()))
  }

  /** Whether a try is under way. */
  get trying(): boolean {
    return this.#doubt !== undefined && this.#doubt.tryingUntil > this.#clock.now()
  }

  get failures(): number {
    return this.#failures
  }

  /** A try begins. It holds the place of the next for so long as a trial may. */
  beginTry(): void {
    if (this.#doubt !== undefined) this.#doubt.tryingUntil = this.#clock.now() + this.#breaker().trialLeaseMs
  }

  /** A call that began after the doubt ended so; undefined: it says nothing. */
  endTry(succeeded: boolean | undefined): void {
    if (this.#doubt === undefined) return
    if (succeeded === true) {
      this.#end()
      return
    }
    this.#doubt.tryingUntil = 0
    if (succeeded === undefined) return
    this.#doubt.tries += 1
    this.#doubt.nextAt = this.#clock.now() + this.#pauseMs(this.#doubt.tries)
  }

  /** The part of a batch that is this run's. `inARow`: failures since the last success, whenever that call began. */
  report(inARow: number): Reported {
    const doubtful = this.doubtful
    const holds = doubtful || (inARow > 0 && this.#generation === this.#cache.generation)
    return holds ? this.#reported(this.#clock.now()) : { failures: 0, sinceMs: 0 }
  }

  /** The domain that this process stands for; undefined while no quorum is set. */
  get domain(): string | undefined {
    if (!this.quorumSet) return undefined
    return this.tried ? this.#context.failureDomain : UNTRIED
  }

  /** The name of the life of this process; undefined while no quorum is set. */
  get incarnation(): string | undefined {
    return this.quorumSet ? this.#context.incarnation : undefined
  }

  get quorumSet(): boolean {
    return this.#breaker().quorum > 1
  }

  #reported(now: number): Reported {
    return { failures: this.#failures, sinceMs: Math.max(0, Math.floor(now - this.#since)) }
  }

  /** Shorter by up to a fifth, so that the processes of a broken machine do not all try at once. */
  #pauseMs(tries: number): number {
    return tryAgainInMs(tries, this.#breaker()) * (1 - this.#random() / 5)
  }

  #end(): void {
    this.#doubt = undefined
    this.#failures = 0
    this.#cache.doubt(0)
  }
}
