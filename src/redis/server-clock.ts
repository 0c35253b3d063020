import type { RedisConnection } from './connection.js'
import { parseTime } from './parse.js'

/** One reading serves for so long, ms. */
const SERVES_MS = 1_000

/** Redis's clock, for what no decision reads: one reading serves for a second, and for all who ask meanwhile. */
export class ServerClock {
  readonly #redis: RedisConnection
  #asked: Promise<number> | undefined
  #read: { readonly nowMs: number; readonly at: number } | undefined

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** Redis ms. @throws RedisUnavailableError */
  async nowMs(): Promise<number> {
    const now = performance.now()
    const read = this.#read
    if (read !== undefined && now - read.at < SERVES_MS) return Math.floor(read.nowMs + now - read.at)
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined
    })
    return this.#asked
  }

  async #ask(): Promise<number> {
    const nowMs = parseTime(await this.#redis.run('time', []))
    this.#read = { nowMs, at: performance.now() }
    return nowMs
  }
}
