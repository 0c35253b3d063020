import type { Host } from '../client/link.js'
import { meansLost } from '../model/errors.js'
import type { Claims, Schedule } from '../model/ports.js'
import type { Room } from './room.js'

export type Claim = Claims['claimed'][number]

export interface DutyOptions {
  readonly host: Host
  readonly schedule: Schedule
  readonly shard: number
  readonly room: Room
  /** Must not reject. */
  readonly run: (claim: Claim) => Promise<void>
  /** Asks for another process to help; this one is full. */
  readonly invite: () => Promise<void>
  /** Sees to it that somebody is on duty again in a moment. */
  readonly arrange: () => Promise<void>
}

/**
 * One process's part in looking after one shard of the schedule. A tick of the queue, once a second, puts one process of
 * the fleet on duty: until the next tick should have come, and a little longer, it takes whatever is due and has room
 * for, at the moment at which it is due. It trades an even share of the work, which only comes out over many ticks, for
 * probes that cost no job each and begin on time.
 *
 * - `off`   nothing but a look now and then whether anybody else is on duty.
 * - `on`    takes what is due, sleeps until the next is, but no longer than a quarter of a second: somebody may bring a
 *           probe forward. With no room left it invites others, and takes more when a probe has ended.
 *
 * Two on duty hurt nobody: what one was handed out, the other is not. When nobody has been for a second (whoever was is
 * dead, or the queue's clock is), the first to notice takes over, and has the ticks begun again.
 */
export class Duty {
  readonly #options: DutyOptions
  /** By this process's own measure of time: one that was frozen is off duty when it wakes. */
  #until = -Infinity
  #watching: Promise<void> | undefined
  #wake: (() => void) | undefined
  #nudged = false
  #invitedAt = -Infinity
  #closed = false

  constructor(options: DutyOptions) {
    this.#options = options
  }

  get shard(): number {
    return this.#options.shard
  }

  /**
   * A tick came. Who was on duty hands it on, so that the work is shared; where nobody else waits it comes back, `handed`.
   */
  async tick(handed = false): Promise<void> {
    if (handed || !this.#on) this.#take()
    else await this.#invite()
  }

  #take(): void {
    this.#until = performance.now() + TICK_MS + HANDOVER_MS
    this.#watching ??= this.#watch()
  }

  /** Something may have become due. */
  nudge(): void {
    this.#nudged = true
    this.#wake?.()
  }

  /** Takes over where nobody is on duty. True when it did. @throws RedisUnavailableError */
  async relieve(): Promise<boolean> {
    const { room } = this.#options
    if (this.#closed || this.#on || room.free === 0) return false
    const claims = await this.#claim(TICK_MS)
    if (!claims.idle) return false
    this.#take()
    await this.#options.arrange()
    return true
  }

  /** Takes nothing more. Resolves when what was taken is under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    await this.#watching
  }

  get #on(): boolean {
    return !this.#closed && performance.now() < this.#until
  }

  async #watch(): Promise<void> {
    while (this.#on) {
      this.#nudged = false
      try {
        await this.#round()
      } catch (error) {
        const { counters, log, watch } = this.#options.host
        counters.connectionErrors += 1
        log.warn({ err: error }, 'could not take the probes that are due')
        await watch.back(RETRY_MS)
        await this.#sleep(meansLost(error) ? RETRY_MS : TICK_MS)
      }
    }
    // In the same turn as the last look: a tick after it finds nobody watching.
    this.#watching = undefined
  }

  async #round(): Promise<void> {
    const { room } = this.#options
    // Also without room: it tells the others that somebody is on duty.
    const { nextInMs } = await this.#claim(0)
    if (room.free > 0) {
      await this.#sleep(Math.min(nextInMs ?? POLL_MS, POLL_MS))
      return
    }
    void this.#invite()
    void room.ended().then(() => this.#wake?.())
    await this.#sleep(POLL_MS)
    // What ends in the same turn makes room for one claim, not for many.
    await new Promise(setImmediate)
  }

  /** Begins all that it is handed out. */
  async #claim(idleMs: number): Promise<Claims> {
    const { schedule, shard, room, run } = this.#options
    const claims = await schedule.claim(shard, { max: Math.min(room.free, MAX_CLAIM), idleMs })
    for (const claim of claims.claimed) void room.run(() => run(claim))
    return claims
  }

  async #invite(): Promise<void> {
    const now = performance.now()
    if (now - this.#invitedAt < POLL_MS) return
    this.#invitedAt = now
    const { host, invite } = this.#options
    try {
      await invite()
    } catch (error) {
      host.counters.connectionErrors += 1
      host.log.debug({ err: error }, 'could not ask for help with the probes')
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#nudged || this.#closed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(ms, LEAST_SLEEP_MS)).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** The queue's ticks come at this distance, ms. */
export const TICK_MS = 1_000
/** Ticks come some 100 ms late, ms. */
const HANDOVER_MS = 250
const POLL_MS = 250
/** What becomes due within this is taken together, ms. */
const LEAST_SLEEP_MS = 5
const MAX_CLAIM = 1_000
const RETRY_MS = 250
