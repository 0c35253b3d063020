import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { connectWith } from '../../src/connect.js'
import type { ConnectOptions } from '../../src/connect-options.js'
import type { Busbar } from '../../src/index.js'
import { LUA_SOURCE, movableClock, type MovableClock } from './clock.js'
import { redisUrl, testNamespace } from './redis.js'

/** A namespace of one test: its clock, its raw keys, and as many busbars as it wants. All end with the test. */
export interface Fleet {
  readonly namespace: string
  readonly url: string
  /** The clock of every script in this namespace. */
  readonly clock: MovableClock
  /** A plain client, to look at keys with. */
  readonly redis: Redis
  connect(options?: Partial<ConnectOptions>): Promise<Busbar>
}

/** A fleet whose time stands still until the test moves it. */
export async function testFleet(): Promise<Fleet> {
  const url = redisUrl()
  const namespace = testNamespace()
  const redis = new Redis(url)
  const clock = await movableClock(url, namespace)
  const busbars: Busbar[] = []
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close()))
    await clock.close()
    await removeKeys(redis, namespace)
    await redis.quit()
  })
  const connect = async (options: Partial<ConnectOptions> = {}) => {
    const given = { redis: url, namespace, logger: false as const, commandTimeoutMs: 5_000, ...options }
    const busbar = await connectWith(given, LUA_SOURCE, { now: () => clock.nowMs })
    busbars.push(busbar)
    return busbar
  }
  return { namespace, url, clock, redis, connect }
}

/** As many arguments as a call may have. */
const KEYS_AT_ONCE = 10_000

/** Leaves nothing of the namespace behind, on whatever Redis the tests were given. */
export async function removeKeys(redis: Redis, namespace: string): Promise<void> {
  for (const pattern of [`${namespace}:*`, `{${namespace}}:*`, `{${namespace}:*`]) {
    const keys = await redis.keys(pattern)
    for (let first = 0; first < keys.length; first += KEYS_AT_ONCE)
      await redis.unlink(...keys.slice(first, first + KEYS_AT_ONCE))
  }
}
