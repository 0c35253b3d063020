import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClaimRequest, ProbePlan } from '../../src/model/ports/schedule.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisSchedule } from '../../src/redis/schedule.js'
import { START_MS, LUA_SOURCE, movableClock } from '../harness/clock.js'
import { removeKeys } from '../harness/fleet.js'
import { generator } from '../harness/random.js'
import { redisUrl, testNamespace } from '../harness/redis.js'
import { Redis } from 'ioredis'

const SECOND = 1_000
const AT_ONCE = 0

/** A schedule on a clock of its own. */
async function scheduleOf(shards = 1) {
  const namespace = testNamespace()
  const redis = new Redis(redisUrl())
  const clock = await movableClock(redisUrl(), namespace)
  const connection = new RedisConnection(redisUrl(), {
    commandTimeoutMs: 5_000,
    unref: false,
    onError: () => undefined,
  })
  await connection.connect()
  const schedule = new RedisSchedule(connection, { namespace, shards }, LUA_SOURCE)
  onTestFinished(async () => {
    connection.close()
    await clock.close()
    await removeKeys(redis, namespace)
    await redis.quit()
  })
  const ask = (options: Partial<ClaimRequest> = {}, shard = 0) =>
    schedule.claim(shard, {
      ...{ planner: 'one', takeAfterMs: AT_ONCE, max: 1_000, maxWaiting: 32, checkMs: 5 * SECOND, full: [] },
      ...options,
    })
  const claim = async (max = 1_000) => (await ask({ max })).claimed.map(({ id }) => id)
  return { schedule, clock, ask, claim, redis, namespace }
}

const every = (intervalMs: number, sinceMs: number | null = null): ProbePlan => ({
  ...{ intervalMs, sinceMs, needs: '', recoveryInMs: -1 },
})
const never = (intervalMs: number) => every(intervalMs)

describe('a planned provider', () => {
  it('is handed out at once when it was never probed, and then once an interval', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    expect(await schedule.plan('a', never(10 * SECOND))).toBe(true)
    const times: number[] = []
    for (let second = 0; second < 100; second += 1) {
      for (const id of await claim()) {
        expect(id).toBe('a')
        times.push(clock.nowMs)
      }
      await clock.advance(SECOND)
    }
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(times[0]).toBe(START_MS)
    // Its first gap is where it finds its turn; then the turns are an interval apart.
    expect(gaps[0]).toBeGreaterThanOrEqual(7.5 * SECOND)
    expect(gaps[0]).toBeLessThanOrEqual(17.5 * SECOND + SECOND)
    expect(new Set(gaps.slice(1))).toEqual(new Set([10 * SECOND]))
  })

  it('waits for its turn when it was probed a moment ago', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    await schedule.plan('a', every(10 * SECOND, 2 * SECOND))
    await clock.advance(5.4 * SECOND)
    expect(await claim()).toEqual([])
    await clock.advance(10.1 * SECOND)
    expect(await claim()).toEqual(['a'])
  })

  it('stays as it is when it is planned again alike, and finds another turn at another pace', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    await schedule.plan('a', never(10 * SECOND))
    expect(await schedule.plan('a', never(10 * SECOND))).toBe(false)
    expect(await claim()).toEqual(['a'])
    expect(await schedule.plan('a', every(SECOND, 0))).toBe(true)
    await clock.advance(1.76 * SECOND)
    expect(await claim()).toEqual(['a'])
    expect(await schedule.list()).toMatchObject([{ id: 'a', intervalMs: SECOND }])
  })

  it('is handed out no more once it is dropped', async () => {
    const { schedule, claim } = await scheduleOf()
    await schedule.plan('a', never(SECOND))
    expect(await schedule.drop('a')).toBe(true)
    expect(await schedule.drop('a')).toBe(false)
    expect(await claim()).toEqual([])
    expect(await schedule.list()).toEqual([])
  })

  it('says how late it is', async () => {
    const { schedule, redis, namespace } = await scheduleOf()
    await schedule.plan('a', never(SECOND))
    // A listing goes by the time of now, and the clock double stands in the past.
    const time = (await redis.time()).map(Number)
    const nowMs = (time[0] ?? 0) * 1_000
    await redis.zadd(`{${namespace}}:due`, nowMs - 5_000, 'a')
    const [planned] = await schedule.list()
    expect(planned?.lateMs).toBeGreaterThanOrEqual(5_000)
    expect(planned?.lateMs).toBeLessThan(10_000)
  })

  it('is due on time although the clock steps back an hour', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    await schedule.plan('a', never(10 * SECOND))
    expect(await claim()).toEqual(['a'])
    await clock.set(START_MS - 3_600 * SECOND)
    await claim()
    await clock.advance(17.6 * SECOND)
    expect(await claim()).toEqual(['a'])
  })

  it('is handed out soon although it was planned by a clock that was an hour ahead', async () => {
    const { schedule, clock, claim, redis, namespace } = await scheduleOf()
    await schedule.plan('a', never(10 * SECOND))
    await claim()
    await redis.zadd(`{${namespace}}:due`, clock.nowMs + 3_600 * SECOND, 'a')
    expect(await schedule.plan('a', every(10 * SECOND, 3 * SECOND))).toBe(true)
    await clock.advance(15 * SECOND)
    expect(await claim()).toEqual(['a'])
  })
})

describe('what is handed out', () => {
  it('is the longest due first, and no more than was asked for', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    for (const id of ['a', 'b', 'c']) {
      await schedule.plan(id, never(60 * SECOND))
      await clock.advance(100)
    }
    expect(await claim(2)).toEqual(['a', 'b'])
    expect(await claim(0)).toEqual([])
    expect(await claim(2)).toEqual(['c'])
  })

  it('belongs to one of those who ask at the same moment', async () => {
    const { schedule, clock, claim } = await scheduleOf()
    const ids = Array.from({ length: 40 }, (_, i) => `provider-${i}`)
    for (const id of ids) await schedule.plan(id, never(SECOND))
    const handedOut: string[] = []
    for (let turn = 0; turn < 20; turn += 1) {
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(3)))
      handedOut.push(...claims.flat())
      await clock.advance(50)
    }
    for (const id of ids) {
      const times = handedOut.filter((other) => other === id).length
      expect(times, id).toBeGreaterThanOrEqual(1)
      expect(times, id).toBeLessThanOrEqual(2)
    }
  })

  it('goes to one planner: another becomes it by a tick, or when the first has not asked for a second', async () => {
    const { schedule, clock, ask } = await scheduleOf()
    expect(await ask()).toMatchObject({ planner: true })
    await schedule.plan('a', never(SECOND))
    const other = { planner: 'other', takeAfterMs: SECOND }
    expect(await ask(other)).toMatchObject({ planner: false, claimed: [], nextInMs: null })
    await clock.advance(999)
    expect(await ask(other)).toMatchObject({ planner: false })
    await clock.advance(1)
    expect(await ask(other)).toMatchObject({
      planner: true,
      claimed: [{ id: 'a', intervalMs: SECOND, needs: '', why: 'scheduled' }],
    })
    expect(await ask({ takeAfterMs: SECOND })).toMatchObject({ planner: false })
    expect(await ask({ takeAfterMs: AT_ONCE })).toMatchObject({ planner: true })
    expect(await ask(other)).toMatchObject({ planner: false })
  })

  it('stays in the schedule while enough jobs wait, or the queue is paused', async () => {
    const { schedule, ask, redis, namespace } = await scheduleOf()
    await schedule.plan('a', never(SECOND))
    const queue = `{${namespace}}:probes`
    await redis.rpush(`${queue}:wait`, 'one', 'two')
    expect(await ask({ maxWaiting: 2 })).toMatchObject({ planner: true, claimed: [] })
    await redis.hset(`${queue}:meta`, 'paused', '1')
    expect(await ask({ maxWaiting: 3 })).toMatchObject({ planner: false, claimed: [] })
    await redis.hdel(`${queue}:meta`, 'paused')
    expect(await ask({ maxWaiting: 3 })).toMatchObject({ planner: true, claimed: [{ id: 'a' }] })
  })

  it('leaves what needs a full queue in the schedule, where it holds up nothing', async () => {
    const { schedule, clock, ask, claim } = await scheduleOf()
    const model = { ...never(SECOND), needs: 'function/team:model' }
    await schedule.plan('a', model)
    await schedule.plan('b', { ...model, recoveryInMs: 0 })
    await clock.advance(1)
    await schedule.plan('c', never(SECOND))
    const full = ['function/team:model']
    expect((await ask({ full, max: 2 })).claimed).toEqual([])
    expect((await ask({ full, max: 2 })).claimed).toMatchObject([{ id: 'c' }])
    await clock.advance(100)
    expect((await ask()).claimed).toMatchObject([
      { id: 'b', needs: 'function/team:model', why: 'recovery' },
      { id: 'a', needs: 'function/team:model', why: 'scheduled' },
    ])
    expect(await claim()).toEqual([])
  })

  it('comes with a request to check the repeated jobs, once in a while, whichever planner asks', async () => {
    const { clock, ask } = await scheduleOf()
    expect((await ask()).check).toBe(true)
    expect((await ask({ planner: 'other' })).check).toBe(false)
    await clock.advance(4_999)
    expect((await ask()).check).toBe(false)
    await clock.advance(1)
    expect((await ask({ planner: 'other' })).check).toBe(true)
  })

  it('comes with the time until there is more', async () => {
    const { schedule, clock, ask } = await scheduleOf()
    expect((await ask()).nextInMs).toBeNull()
    await schedule.plan('a', never(10 * SECOND))
    const { nextInMs } = await ask()
    await clock.advance((nextInMs ?? 0) - 1)
    expect(await ask()).toMatchObject({ claimed: [], nextInMs: 1 })
    await clock.advance(1)
    expect((await ask()).claimed).toHaveLength(1)
  })
})

describe('a recovery', () => {
  it('comes at its time and before what is due, is the turn of its provider, and is one however often it is planned', async () => {
    const { schedule, clock, ask } = await scheduleOf()
    await schedule.plan('a', { ...every(10 * SECOND, 0), recoveryInMs: 3 * SECOND })
    await schedule.plan('a', { ...every(10 * SECOND, 0), recoveryInMs: 3 * SECOND })
    await schedule.plan('a', { ...every(10 * SECOND, 0), recoveryInMs: null })
    expect((await ask()).nextInMs).toBe(3 * SECOND)
    await clock.advance(3 * SECOND)
    await schedule.plan('b', never(10 * SECOND))
    const why = async () => (await ask()).claimed.map((claim) => `${claim.why} ${claim.id}`)
    expect(await why()).toEqual(['recovery a', 'scheduled b'])
    await clock.advance(7.4 * SECOND)
    expect(await why()).toEqual([])
    await clock.advance(10.2 * SECOND)
    expect((await why()).sort()).toEqual(['scheduled a', 'scheduled b'])
  })

  it('goes with the open circuit, and with the provider', async () => {
    const { schedule, redis, namespace } = await scheduleOf()
    const oneOffs = () => redis.zrange(`{${namespace}}:one_offs`, 0, -1)
    await schedule.plan('a', { ...never(SECOND), recoveryInMs: SECOND })
    expect(await oneOffs()).toEqual(['recovery:a'])
    await schedule.plan('a', never(SECOND))
    expect(await oneOffs()).toEqual([])
    await schedule.plan('team:a', { ...never(SECOND), recoveryInMs: SECOND })
    await schedule.bringForward('team:a', { inMs: 0, gapMs: 0 })
    await schedule.drop('team:a')
    expect(await oneOffs()).toEqual([])
  })
})

describe('a probe that is brought forward', () => {
  it('comes at once, but not within the gap after the last', async () => {
    const { schedule, clock, ask, claim } = await scheduleOf()
    await schedule.plan('a', never(60 * SECOND))
    await claim()
    await clock.advance(4 * SECOND)
    expect(await schedule.bringForward('a', { inMs: 0, gapMs: 5 * SECOND })).toBe(true)
    expect(await schedule.bringForward('a', { inMs: 0, gapMs: 5 * SECOND })).toBe(false)
    expect(await claim()).toEqual([])
    await clock.advance(SECOND)
    expect((await ask()).claimed).toMatchObject([{ id: 'a', why: 'early' }])
    expect((await ask()).nextInMs).toBeGreaterThanOrEqual(45 * SECOND)
  })

  it('is never put off, and never comes for a provider that is not planned', async () => {
    const { schedule, claim } = await scheduleOf()
    await schedule.plan('a', never(SECOND))
    expect(await schedule.bringForward('a', { inMs: 500, gapMs: 0 })).toBe(false)
    expect(await schedule.bringForward('b', { inMs: 0, gapMs: 0 })).toBe(false)
    expect(await claim()).toEqual(['a'])
  })
})

/** Starts in each second, by somebody who asks every 20 ms for all there is. */
async function startsPerSecond(fleet: Awaited<ReturnType<typeof scheduleOf>>, seconds: number) {
  const counts: number[] = []
  for (let second = 0; second < seconds; second += 1) {
    let count = 0
    for (let turn = 0; turn < 50; turn += 1) {
      count += (await fleet.claim()).length
      await fleet.clock.advance(20)
    }
    counts.push(count)
  }
  return counts
}

describe('2 000 providers, each every ten seconds', () => {
  it('begin evenly, also when all are due at once and after ten minutes without anybody', async () => {
    const fleet = await scheduleOf()
    const PROVIDERS = 2_000
    const mean = PROVIDERS / 10
    for (let i = 0; i < PROVIDERS; i += 1) await fleet.schedule.plan(`provider-${i}`, never(10 * SECOND))
    const first = await startsPerSecond(fleet, 20)
    await startsPerSecond(fleet, 10)
    const usual = await startsPerSecond(fleet, 10)
    await fleet.clock.advance(600 * SECOND)
    const after = await startsPerSecond(fleet, 20)
    const share = (counts: number[]) => (Math.max(...counts) / mean).toFixed(2)
    console.log(
      `busiest second beside the mean: first ${share(first)}, usual ${share(usual)}, after ten minutes ${share(after)}`,
    )
    for (const counts of [first, usual, after]) expect(Math.max(...counts)).toBeLessThanOrEqual(1.7 * mean)
    expect(usual.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0.97 * PROVIDERS)
    expect(usual.reduce((sum, count) => sum + count, 0)).toBeLessThan(1.03 * PROVIDERS)
    // Each was due once, however long it was: not a backlog of sixty.
    expect(after.slice(0, 7).reduce((sum, count) => sum + count, 0)).toBeLessThan(1.2 * PROVIDERS)
    expect(after.slice(0, 10).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(PROVIDERS)
  })
})

describe('random paces, drops and claims', () => {
  it('leave the pace of the shard what its providers add up to', async () => {
    const { schedule, clock, claim, redis, namespace } = await scheduleOf()
    const random = generator(7)
    const paces = new Map<string, number>()
    for (let step = 0; step < 500; step += 1) {
      const id = `provider-${Math.floor(random() * 20)}`
      if (random() < 0.3) {
        await schedule.drop(id)
        paces.delete(id)
      } else if (random() < 0.6) {
        const intervalMs = 100 + Math.floor(random() * 10_000)
        await schedule.plan(id, every(intervalMs, random() < 0.5 ? null : 50))
        paces.set(id, intervalMs)
      } else await claim(3)
      await clock.advance(Math.floor(random() * 300))
    }
    const expected = [...paces.values()].reduce((sum, intervalMs) => sum + Math.floor(1e9 / intervalMs), 0)
    const key = (name: string) => `{${namespace}}:${name}`
    expect(Number(await redis.hget(key('schedule'), 'rate'))).toBe(expected)
    expect(await redis.zcard(key('due'))).toBe(paces.size)
    for (const id of await redis.zrange(key('claimed'), 0, -1)) expect(paces.has(id), id).toBe(true)
  })
})

describe('several shards', () => {
  it('share the providers, each with keys of its own', async () => {
    const { schedule, ask } = await scheduleOf(4)
    const ids = Array.from({ length: 40 }, (_, i) => `provider-${i}`)
    for (const id of ids) await schedule.plan(id, never(SECOND))
    const shares = await Promise.all([0, 1, 2, 3].map((shard) => ask({ max: 100 }, shard)))
    for (const [shard, { claimed }] of shares.entries()) {
      expect(claimed.length).toBeGreaterThan(0)
      for (const { id } of claimed) expect(schedule.shardOf(id)).toBe(shard)
    }
    expect((await schedule.list()).map(({ id }) => id).sort()).toEqual(ids.sort())
  })
})
