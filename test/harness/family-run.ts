import { expect } from 'vitest'
import { eventually } from './eventually.mjs'
import { testFleet } from './fleet.js'

const HANDLES = 50
const AT_ONCE = 100

/**
 * A family of so many keys in one process: its handles are bounded, its memory is flat, and its keys leave Redis once the
 * clock says that they are idle. Answers the heap after half of the keys and after all, bytes (0 where it cannot be collected),
 * and the memory of Redis before, with all keys, and after they left, bytes.
 */
export async function runFamily(
  keys: number,
): Promise<{ readonly half: number; readonly all: number; readonly redis: readonly number[] }> {
  const fleet = await testFleet()
  const { namespace, redis, clock } = fleet
  const busbar = await fleet.connect()
  const family = busbar.family('tenant-api', { maxHandles: HANDLES, idleExpireMs: 2_000 })
  const use = async (from: number, to: number) => {
    for (let first = from; first < to; first += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, i) => `tenant ${first + i}`)
      await Promise.all(some.map(async (key) => (await family.get(key)).execute(() => key)))
      expect(family.size).toBeLessThanOrEqual(HANDLES)
    }
    await busbar.flush()
  }
  const redisUsed = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1] ?? 0)
  const before = await redisUsed()
  await use(0, keys / 2)
  const half = heapUsed()
  await use(keys / 2, keys)
  const all = heapUsed()
  const full = await redisUsed()
  expect(await redis.zcard(`${namespace}:providers`)).toBe(keys)
  expect(await redis.hget(`${namespace}:{tenant-api/tenant@20${keys - 1}}:circuit`, 'applied')).toBe('1')

  // A use that the process has not seen to yet counts from when it does, so time is moved until all have left but one.
  const used = async () => {
    const last = await family.get(`tenant ${keys - 1}`)
    await last.execute(() => 1)
    return last
  }
  await eventually(
    async () => {
      // Past the eighth that a member may stay longer.
      await clock.advance(2_500)
      await used()
      return (await redis.zcard(`${namespace}:providers`)) === 1
    },
    { what: 'idle members leave Redis', timeoutMs: 120_000 + 2 * keys, everyMs: 500 },
  )
  const last = await used()
  await busbar.flush()
  expect(await busbar.providers()).toEqual([last.id])
  const left = await redis.keys(`${namespace}:{*`)
  expect(left.filter((key) => !key.includes(`{${last.id}}`))).toEqual([])
  expect(await redis.zrange(`${namespace}:idle`, 0, -1)).toEqual([last.id])
  return { half, all, redis: [before, full, await redisUsed()] }
}

function heapUsed(): number {
  if (globalThis.gc === undefined) return 0
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
