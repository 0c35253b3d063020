import { randomUUID } from 'node:crypto'
import { forEachLimit } from '../client/shared/for-each-limit.js'
import type { ProcessContext } from '../client/context.js'
import type { HookKind } from '../model/alerts.js'
import type { HookState, HookStore } from '../model/ports/hook-store.js'
import { AlertFold } from './alert-fold.js'
import type { AlertQueue } from './alert-queue.js'
import type { HookFilter } from './hook-filter.js'
import { bodyOf } from './message.js'

export interface CollectorOptions {
  readonly context: ProcessContext
  readonly store: HookStore
  readonly namespace: string
  readonly hook: string
  readonly kind: HookKind
  readonly filter: HookFilter
  readonly groupMs: number
  readonly queue: () => AlertQueue
}

/** A job is to run again, because the time of grouping is not over. */
export interface Again {
  readonly againInMs: number
}

/**
 * Makes the messages of one hook.
 *
 * What is told is what the streams of the providers have after the hook's cursors, whatever a process heard or missed. To put
 * events into a message, and to move the cursors past them, is one step of Redis, which one process wins; so each event is in
 * one message. The message is kept with its id until it is delivered or given up, and until then no other is made: what happens
 * meanwhile is one message afterwards. So a hook that is down for hours is not flooded when it comes back, is asked by one job
 * alone, and hears of things in their order.
 */
export class Collector {
  readonly #options: CollectorOptions

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /** Tells what happened to a provider, and to all whose events wait as well. Answers what became of it, in words. */
  async tell(provider: string): Promise<string | Again> {
    return this.#untilStaged(async (fold, state) => {
      if (!(await this.#add(fold, state, provider))) return
      const { context, queue } = this.#options
      const all = async () => (await context.store.providers()).map(({ id }) => id)
      const others = new Set(state.behind ? await all() : await queue().waitingProviders())
      others.delete(provider)
      await this.#addAll(fold, state, [...others])
    })
  }

  /**
   * Tells whatever has not been told of any provider. What has just begun is grouped, as it is where it was heard of: then this
   * is to come again.
   */
  async sweep(): Promise<string | Again> {
    const { context, hook, store, queue } = this.#options
    await store.beginSweep(hook)
    const { staged } = await store.read(hook)
    if (staged !== undefined) await queue().addDelivery(staged.delivery)
    // Cursors first: one of a provider that is not listed yet is not there then.
    const known = await store.cursors(hook)
    const ids = (await context.store.providers()).map(({ id }) => id)
    await store.keepCursors(hook, known, new Set(ids))
    return this.#untilStaged((fold, state) => this.#addAll(fold, state, ids))
  }

  /** Each time that another process was first, everything is read again: it may have told all of it. */
  async #untilStaged(collect: (fold: AlertFold, state: HookState) => Promise<void>): Promise<string | Again> {
    const { filter, groupMs, hook, kind, namespace, queue, store } = this.#options
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const state = await store.read(hook)
      const fold = new AlertFold(filter, state.nowMs)
      await collect(fold, state)
      if (fold.alerts.length === 0) return 'nothing that was not told'
      if (fold.ageMs < groupMs - CLOCK_ERROR_MS) return { againInMs: groupMs - fold.ageMs }
      const delivery = randomUUID()
      const body = bodyOf({ hook, kind, namespace, delivery }, fold.alerts, fold.omitted)
      const staging = await store.stage(hook, state.revision, { delivery, body }, fold.cursors)
      if (staging === 'outdated') continue
      // Also where another waits: the process that was to add its job may have been killed.
      const waits = staging === 'staged' ? delivery : (await store.read(hook)).staged?.delivery
      if (waits !== undefined) await queue().addDelivery(waits)
      return staging === 'staged' ? `message ${delivery}` : `waits for message ${waits ?? 'before it'}`
    }
    throw new Error('other processes were first each time')
  }

  async #addAll(fold: AlertFold, state: HookState, ids: readonly string[]): Promise<void> {
    await forEachLimit(ids, AT_ONCE, async (id) => {
      await this.#add(fold, state, id)
    })
  }

  async #add(fold: AlertFold, { sinceMs, nowMs }: HookState, id: string): Promise<boolean> {
    const { filter, hook, store } = this.#options
    if (!filter.wantsProvider(id, undefined)) return false
    const entries = await store.eventsAfter(hook, id, Math.max(sinceMs, nowMs - MAX_AGE_MS))
    if (!entries.some(({ event }) => filter.wantsKind(event))) return false
    if (filter.byGroup && !filter.wantsProvider(id, await this.#groupOf(id))) return false
    return fold.add(entries)
  }

  /** Empty where it has none, or was removed. */
  async #groupOf(id: string): Promise<string> {
    const reply = await this.#options.context.store.snapshot(id)
    return ('snapshot' in reply ? reply.snapshot?.group : undefined) ?? ''
  }
}

const MAX_TRIES = 10
/** A job may come a little before its time by Redis's clock, and need not wait again, ms. */
const CLOCK_ERROR_MS = 50
/** Streams that are read at once. */
const AT_ONCE = 50
/** An event that is older is no alert any more, ms: a day. */
const MAX_AGE_MS = 86_400_000
