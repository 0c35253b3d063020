import type { ProcessContext } from '../client/context.js'
import type { HookStore } from '../model/ports/hook-store.js'
import { forGood } from './alert-queue.js'
import type { Destination } from './destination.js'
import { isDelivered, post, wordsOf, type PostEnd } from './post.js'

export interface DelivererOptions {
  readonly context: ProcessContext
  readonly store: HookStore
  readonly hook: string
  readonly destination: Destination
  /** Events came while the message waited: look for them. */
  readonly behind: () => Promise<void>
}

/** An attempt that failed, and the pause that the receiver asked for, ms. */
export class AttemptFailed extends Error {
  readonly pauseMs: number

  constructor(message: string, pauseMs: number) {
    super(message)
    this.pauseMs = pauseMs
  }
}

/**
 * Sends the message of a hook that waits. A process that is killed after it was received, and before that is written down, leaves
 * a job that another takes up: it sends the same bytes under the same id again.
 */
export class Deliverer {
  readonly #options: DelivererOptions

  constructor(options: DelivererOptions) {
    this.#options = options
  }

  /** `last`: if this attempt fails, the message is lost. @throws AttemptFailed, RedisUnavailableError */
  async deliver(delivery: string, last: boolean): Promise<string> {
    const { context, destination, hook, store } = this.#options
    const { staged } = await store.read(hook)
    if (staged?.delivery !== delivery) {
      await this.#settle(delivery)
      return 'delivered before'
    }
    const end = await post(destination, staged, context.worker)
    if (isDelivered(end)) {
      this.#count('delivered')
      context.log.debug({ hook, delivery, elapsedMs: end.elapsedMs }, 'alert delivered')
      await this.#settle(delivery)
      return wordsOf(end)
    }
    return this.#failed(delivery, end, last)
  }

  async #failed(delivery: string, end: PostEnd, last: boolean): Promise<never> {
    const { context, hook } = this.#options
    const reason = wordsOf(end)
    this.#count('failed')
    context.log.warn({ hook, delivery, reason, elapsedMs: end.elapsedMs }, 'an alert was not delivered')
    if (!last) throw new AttemptFailed(reason, end.kind === 'answered' ? end.pauseMs : 0)
    this.#count('lost')
    context.log.error({ hook, delivery, reason }, 'an alert is lost: no attempt delivered it')
    await this.#settle(delivery)
    throw forGood(reason)
  }

  async #settle(delivery: string): Promise<void> {
    const { behind, hook, store } = this.#options
    if (await store.settle(hook, delivery)) await behind()
  }

  #count(result: 'delivered' | 'failed' | 'lost'): void {
    const { context, hook } = this.#options
    context.observers.meters?.alerts.add(hook, result)
  }
}
