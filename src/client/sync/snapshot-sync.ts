import { meansLost } from '../../model/errors.js'
import type { Timer } from '../../model/ports/time.js'
import { forEachLimit } from '../shared/for-each-limit.js'
import type { ProcessContext } from '../context.js'
import type { ProviderSession } from './provider-session.js'
import { SEEN_BY_POLL } from './use.js'

/**
 * Keeps what one process knows of its providers fresh.
 *
 * Messages do, while the subscription lives. When it is lost every cache is told; once subscribed again, after a
 * gap of more than `ASLEEP_MS` between two ticks of a timer (a frozen or sleeping process), and after the store was
 * lost, everything is read again. A slow poll of the providers that were used since the last one is the backstop
 * for a subscription that died without a word: so long, at most, a process may act on old news unknowingly.
 *
 * Idle cost: one timer a second in the process; one read per used provider and turn of `POLL_TICKS`.
 */
export class SnapshotSync {
  readonly #context: ProcessContext
  readonly #sessions: ReadonlyMap<string, ProviderSession>
  #subscribed = false
  #gaps = 0
  #tickedAt = 0
  #ticks = 0
  #timer: Timer | undefined
  readonly #reading = new Set<ProviderSession>()

  constructor(context: ProcessContext, sessions: ReadonlyMap<string, ProviderSession>) {
    this.#context = context
    this.#sessions = sessions
  }

  /** `subscribed`: whether messages come already. */
  start(subscribed: boolean): void {
    this.#subscribed = subscribed
    this.#tickedAt = this.#context.clock.now()
    this.#timer = this.#context.timers.every(TICK_MS, () => this.#tick()).unref()
  }

  stop(): void {
    this.#timer?.clear()
    for (const session of this.#sessions.values()) session.stop()
  }

  /** Changes when messages may have been missed: a read is complete only if this did not change meanwhile. */
  get gaps(): number {
    return this.#gaps
  }

  lost(): void {
    this.#subscribed = false
    this.#gaps += 1
    for (const session of this.#sessions.values()) session.cache.lost()
  }

  subscribed(): void {
    this.#subscribed = true
    this.#readAll()
  }

  /** A session whose snapshot was read when `gapsBefore` was the count. */
  welcome(session: ProviderSession, gapsBefore: number): void {
    if (this.#subscribed && gapsBefore === this.#gaps) session.cache.follow()
    else if (this.#subscribed) void this.#read(session)
  }

  /** The store is lost: nothing that is held decides by itself, until it was read again and the store is back. */
  storeLost(): void {
    for (const session of this.#sessions.values()) {
      session.cache.lost()
      session.suspend()
    }
  }

  storeRestored(): void {
    for (const session of this.#sessions.values()) session.suspend()
  }

  /** Reads all again, a few at a time. @throws RedisUnavailableError when the store is lost on the way. */
  async catchUp(): Promise<void> {
    await forEachLimit([...this.#sessions.values()], READS_AT_ONCE, async (session) => {
      if (session.removed) return
      const gap = session.cache.lost()
      try {
        if (this.#subscribed) await session.resync(gap)
        else await session.run('snapshot', (store) => store.snapshot(session.id))
      } catch (error) {
        if (meansLost(error)) throw error
        this.#context.log.debug({ err: error, provider: session.id }, 'could not read a provider again')
      }
    })
  }

  #readAll(): void {
    void forEachLimit([...this.#sessions.values()], READS_AT_ONCE, (session) => this.#read(session))
  }

  async #read(session: ProviderSession): Promise<void> {
    if (this.#reading.has(session) || this.#context.watch.lost) return
    this.#reading.add(session)
    const gap = session.cache.lost()
    await session
      .resync(gap)
      .catch((error: unknown) => {
        this.#context.counters.connectionErrors += 1
        this.#context.log.debug({ err: error, provider: session.id }, 'could not read a provider again')
      })
      .finally(() => this.#reading.delete(session))
  }

  #tick(): void {
    const now = this.#context.clock.now()
    const asleep = now - this.#tickedAt > ASLEEP_MS
    this.#tickedAt = now
    if (!this.#subscribed || this.#context.watch.lost) return
    if (asleep) {
      this.#gaps += 1
      this.#readAll()
      return
    }
    this.#ticks = (this.#ticks + 1) % POLL_TICKS
    for (const session of this.#sessions.values()) {
      // Its own checks ask less often.
      if (session.cutOff !== undefined) continue
      if (session.cache.mode === 'starting' || session.cache.mode === 'resyncing') void this.#read(session)
      else if (
        Math.floor(session.pollDraw * POLL_TICKS) === this.#ticks &&
        session.cache.mode === 'following'
      )
        this.#poll(session)
    }
  }

  /** Reads only providers that were used. The channel stays subscribed, because nothing says that a message was missed. */
  #poll(session: ProviderSession): void {
    if (!session.takeUsed(SEEN_BY_POLL)) return
    session.resync(session.cache.gap).catch((error: unknown) => {
      this.#context.log.debug({ err: error, provider: session.id }, 'a poll was not answered')
    })
  }
}

const TICK_MS = 1_000
/** Providers read again at once: more would wait for each other longer than a command may. */
const READS_AT_ONCE = 64
const ASLEEP_MS = 2_000
/** A provider that is used is read once in so many ticks; `ProviderSession.pollDraw` says in which. */
const POLL_TICKS = 30
