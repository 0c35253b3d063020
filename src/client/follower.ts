import { meansLost } from '../model/errors.js'
import type { Timer } from '../model/ports.js'
import { inTurns } from './in-turns.js'
import type { Host, Link } from './link.js'

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
export class Follower {
  readonly #host: Host
  readonly #links: ReadonlyMap<string, Link>
  #subscribed = false
  #gaps = 0
  #tickedAt = 0
  #ticks = 0
  #timer: Timer | undefined
  readonly #reading = new Set<Link>()

  constructor(host: Host, links: ReadonlyMap<string, Link>) {
    this.#host = host
    this.#links = links
  }

  /** `subscribed`: whether messages come already. */
  start(subscribed: boolean): void {
    this.#subscribed = subscribed
    this.#tickedAt = this.#host.clock.now()
    this.#timer = this.#host.timers.every(TICK_MS, () => this.#tick()).unref()
  }

  stop(): void {
    this.#timer?.clear()
    for (const link of this.#links.values()) link.stop()
  }

  /** Changes when messages may have been missed: a read is complete only if this did not change meanwhile. */
  get gaps(): number {
    return this.#gaps
  }

  lost(): void {
    this.#subscribed = false
    this.#gaps += 1
    for (const link of this.#links.values()) link.cache.lost()
  }

  subscribed(): void {
    this.#subscribed = true
    this.#readAll()
  }

  /** A link whose snapshot was read when `gapsBefore` was the count. */
  welcome(link: Link, gapsBefore: number): void {
    if (this.#subscribed && gapsBefore === this.#gaps) link.cache.follow()
    else if (this.#subscribed) void this.#read(link)
  }

  /** The store is lost: nothing that is held decides by itself, until it was read again and the store is back. */
  storeLost(): void {
    for (const link of this.#links.values()) {
      link.cache.lost()
      link.suspend()
    }
  }

  storeRestored(): void {
    for (const link of this.#links.values()) link.suspend()
  }

  /** Reads all again, a few at a time. @throws RedisUnavailableError when the store is lost on the way. */
  async catchUp(): Promise<void> {
    await inTurns([...this.#links.values()], READS_AT_ONCE, async (link) => {
      if (link.removed) return
      const gap = link.cache.lost()
      try {
        if (this.#subscribed) await link.resync(gap)
        else await link.run('snapshot', (store) => store.snapshot(link.id))
      } catch (error) {
        if (meansLost(error)) throw error
        this.#host.log.debug({ err: error, provider: link.id }, 'could not read a provider again')
      }
    })
  }

  #readAll(): void {
    void inTurns([...this.#links.values()], READS_AT_ONCE, (link) => this.#read(link))
  }

  async #read(link: Link): Promise<void> {
    if (this.#reading.has(link) || this.#host.watch.lost) return
    this.#reading.add(link)
    const gap = link.cache.lost()
    await link
      .resync(gap)
      .catch((error: unknown) => {
        this.#host.counters.connectionErrors += 1
        this.#host.log.debug({ err: error, provider: link.id }, 'could not read a provider again')
      })
      .finally(() => this.#reading.delete(link))
  }

  #tick(): void {
    const now = this.#host.clock.now()
    const asleep = now - this.#tickedAt > ASLEEP_MS
    this.#tickedAt = now
    if (!this.#subscribed || this.#host.watch.lost) return
    if (asleep) {
      this.#gaps += 1
      this.#readAll()
      return
    }
    this.#ticks = (this.#ticks + 1) % POLL_TICKS
    for (const link of this.#links.values()) {
      // Its own checks ask less often.
      if (link.cutOff !== undefined) continue
      if (link.cache.mode === 'starting' || link.cache.mode === 'resyncing') void this.#read(link)
      else if (Math.floor(link.pollDraw * POLL_TICKS) === this.#ticks && link.cache.mode === 'following')
        this.#poll(link)
    }
  }

  /** Only what somebody used. It goes on following meanwhile: nothing says that anything was missed. */
  #poll(link: Link): void {
    if (!link.takeUsed()) return
    link.resync(link.cache.gap).catch((error: unknown) => {
      this.#host.log.debug({ err: error, provider: link.id }, 'a poll was not answered')
    })
  }
}

const TICK_MS = 1_000
/** Providers read again at once: more would wait for each other longer than a command may. */
const READS_AT_ONCE = 64
const ASLEEP_MS = 2_000
/** A provider that is used is read once in so many ticks; `Link.pollDraw` says in which. */
const POLL_TICKS = 30
