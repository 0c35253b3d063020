import { isBusbarError, isProviderTrouble, meansLost } from '../../model/errors.js'
import type { Timer } from '../../model/ports/time.js'
import type { ProcessContext } from '../context.js'
import { wordsOf } from './outage-log.js'

export interface CutOffOptions {
  readonly context: ProcessContext
  readonly id: string
  /** Reads and writes what the provider's calls need; rejects with what is wrong. `n`: how many checks there were. */
  readonly check: (n: number) => Promise<void>
  /** It began, or ended. */
  readonly changed: () => void
}

/**
 * One provider whose commands Redis refuses for good, while it serves all others: a key holds something of another type, a
 * right is missing, what is stored cannot be read. Waiting does not help, and its calls must not go unguarded: this process
 * decides them without the store, as in an outage, until the cause has been mended.
 *
 * - `none`       the store decides.
 * - `suspected`  one command was refused. It may have been that command alone, so a check is under way, and nothing is
 *                logged.
 * - `cut_off`    the check was refused too. It is logged and counted; the next check comes after 1 s, later ones after 30 s at
 *                most.
 *
 *     none -> suspected -> cut_off -> none, suspected -> none
 *
 * A refusal soon after it ended leads to `cut_off` at once: something is wrong that the check does not find.
 *
 * While the store is lost no check is made: it would say nothing about the provider.
 */
export class CutOff {
  readonly #options: CutOffOptions
  #phase: 'none' | 'suspected' | 'cut_off' = 'none'
  #before: (() => Promise<void>) | undefined
  #beganAt = 0
  #endedAt = -Infinity
  /** Since there was calm. */
  #checks = 0
  #total = 0
  #timer: Timer | undefined
  /** How often it began. */
  count = 0
  /** Why, in words; of the newest refusal. */
  reason = ''

  constructor(options: CutOffOptions) {
    this.#options = options
  }

  get active(): boolean {
    return this.#phase !== 'none'
  }

  /** A command was refused for good. `before`: what is to be done before each check. */
  begin(error: unknown, before?: () => Promise<void>): void {
    this.#before = before ?? this.#before
    this.reason = wordsOf(error)
    if (this.active) return
    this.#phase = 'suspected'
    this.#beganAt = this.#options.context.clock.now()
    this.count += 1
    this.#options.changed()
    if (this.#beganAt - this.#endedAt > CALM_MS) {
      this.#checks = 0
      void this.#check()
      return
    }
    // What the checks do not find: if it keeps coming back, it is checked less and less often.
    this.#confirm(error)
    this.#checkLater()
  }

  stop(): void {
    this.#timer?.clear()
    this.#phase = 'none'
  }

  async #check(): Promise<void> {
    const { context, check } = this.#options
    try {
      if (!context.watch.lost) {
        await this.#before?.()
        this.#total += 1
        await check(this.#total)
        this.#end()
        return
      }
    } catch (error) {
      if (isProviderTrouble(error)) this.#confirm(error)
      // Removed or closed: there is nothing to come back to.
      else if (!meansLost(error) && !isBusbarError(error, 'command_late')) this.#end()
    }
    if (this.active) this.#checkLater()
  }

  #checkLater(): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#checks, MAX_PAUSE_MS) * (0.5 + Math.random() / 2)
    this.#checks += 1
    this.#timer = this.#options.context.timers.set(pauseMs, () => void this.#check()).unref()
  }

  #confirm(error: unknown): void {
    this.reason = wordsOf(error)
    if (this.#phase !== 'suspected') return
    this.#phase = 'cut_off'
    const { context, id } = this.#options
    context.counters.providersCutOff += 1
    context.log.warn(
      { err: error, provider: id },
      'Redis refuses the commands of a provider: deciding without it',
    )
  }

  #end(): void {
    const wasCutOff = this.#phase === 'cut_off'
    this.stop()
    this.#endedAt = this.#options.context.clock.now()
    this.#before = undefined
    const { context, id, changed } = this.#options
    changed()
    if (!wasCutOff) return
    const cutOffMs = Math.round(this.#options.context.clock.now() - this.#beganAt)
    context.log.info({ provider: id, cutOffMs }, 'Redis takes the commands of a provider again')
  }
}

const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000
/** A refusal within so long after the last one ended is the same trouble. */
const CALM_MS = 10_000
