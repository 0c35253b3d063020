import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect, type Busbar, type ConnectOptions, type Provider } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { besideMachine } from '../harness/machine.js'
import { startProxy } from '../harness/proxy.js'

/** A Redis of the test's own, by its own clock: what is counted there is ours, and it may be broken. */
async function testStore() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  const busbars: Busbar[] = []
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close({ timeoutMs: 200 })))
    redis.disconnect()
    await server.stop()
  })
  const join = async (options: Partial<ConnectOptions> = {}) => {
    const busbar = await connect({ redis: server.url, logger: false, commandTimeoutMs: 2_000, ...options })
    busbars.push(busbar)
    return busbar
  }
  /** Script calls so far, of all processes. */
  const scripts = async () => {
    const stats = await redis.info('commandstats')
    const calls = [...stats.matchAll(/cmdstat_(?:evalsha|eval|fcall):calls=(\d+)/g)]
    return calls.reduce((sum, [, count]) => sum + Number(count), 0)
  }
  return { server, redis, join, scripts, proxy: () => startProxy(server.port) }
}

const ok = () => 'ok'
const broken = () => Promise.reject(new Error('HTTP 500'))
const fail = async (provider: Provider) => {
  await provider.execute(broken).catch(() => undefined)
}
const repeat = async (times: number, work: () => Promise<unknown>) => {
  for (let i = 0; i < times; i += 1) await work()
}

const NEVER_BY_ITSELF = { flushIntervalMs: 10_000 }
const HALF_OPEN_SOON = { breaker: { failureThreshold: 1, cooldownMs: 50, trialLeaseMs: 600_000 } }

describe('in cached mode', () => {
  it('a group asks Redis for nothing while its members are closed or open', async () => {
    const { join, scripts } = await testStore()
    const busbar = await join(NEVER_BY_ITSELF)
    for (const id of ['a', 'b', 'c']) await busbar.provider(id, { group: 'llm' })
    const group = busbar.group('llm')
    await group.members()
    await busbar.get('c')?.trip()
    await eventually(() => expect(group.order().at(-1)).toMatchObject({ id: 'c', admissible: false }))
    const before = await scripts()
    await repeat(500, () => group.execute(ok, { key: 'tenant', timeoutMs: 5_000 }))
    await repeat(500, () => group.execute(ok))
    await repeat(100, () => Promise.resolve(group.order({ key: 'tenant' })))
    await repeat(100, () => group.admit())
    expect((await scripts()) - before).toBe(0)
  })

  it('calls cost no script call while the circuit is closed, but for the flushes', async () => {
    const { join, scripts } = await testStore()
    const busbar = await join()
    const provider = await busbar.provider('openai')
    const before = await scripts()
    const began = performance.now()
    await repeat(5_000, () => provider.execute(ok))
    await repeat(1_000, async () => {
      const decision = await provider.admit()
      expect(decision).toMatchObject({ admitted: true, source: 'cache' })
      if (decision.admitted) await decision.permit.settle('healthy')
    })
    await busbar.flush()
    const flushes = Math.ceil((performance.now() - began) / 100) + 1
    const spent = (await scripts()) - before
    console.log(`6000 calls while closed: ${spent} script calls, ${flushes} flushes were possible`)
    expect(spent).toBeGreaterThanOrEqual(1)
    expect(spent).toBeLessThanOrEqual(flushes)
    expect(await provider.historySize()).toBe(6_000)
  })

  it('calls cost no script call at all while the circuit is open', async () => {
    const { join, scripts } = await testStore()
    const provider = await (await join()).provider('openai')
    await repeat(3, () => fail(provider))
    expect(provider.peek()).toMatchObject({ state: 'open' })
    await provider.flush()
    const before = await scripts()
    await repeat(1_000, async () => {
      expect(await provider.admit()).toMatchObject({ admitted: false, code: 'circuit_open', source: 'cache' })
      await expect(provider.execute(ok)).rejects.toMatchObject({ code: 'circuit_open' })
    })
    expect((await scripts()) - before).toBe(0)
  })

  it('a half-open circuit is asked once per process and lease', async () => {
    const { join, scripts } = await testStore()
    const [one, other] = [await join(), await join()]
    const mine = await one.provider('openai', HALF_OPEN_SOON)
    const theirs = await other.provider('openai')
    await fail(mine)
    await eventually(() =>
      expect([mine.peek()?.state, theirs.peek()?.state]).toEqual(['half_open', 'half_open']),
    )

    let before = await scripts()
    const decisions = await Promise.all([mine.admit(), mine.admit(), mine.admit()])
    expect((await scripts()) - before).toBe(1)
    const trial = decisions.find((decision) => decision.admitted)
    expect(trial).toMatchObject({ source: 'redis', permit: { trial: true } })
    expect(decisions.filter((decision) => !decision.admitted)).toMatchObject([
      { code: 'no_trial_free', source: 'cache' },
      { code: 'no_trial_free', source: 'cache' },
    ])
    before = await scripts()
    await repeat(50, async () =>
      expect(await mine.admit()).toMatchObject({ code: 'no_trial_free', source: 'cache' }),
    )
    expect((await scripts()) - before).toBe(0)

    // A trial mostly ends long before its lease: whoever waits is told to ask again soon.
    expect(await mine.admit()).toMatchObject({ retryAfterMs: 1_000 })
    // The other process learns of the trial, asks once, and remembers the answer.
    await eventually(() => expect(theirs.peek()?.version).toBe(mine.peek()?.version))
    before = await scripts()
    const refused = await Promise.all([theirs.admit(), theirs.admit(), theirs.admit()])
    expect(refused).toMatchObject([{ retryAfterMs: 1_000 }, { source: 'cache' }, { source: 'cache' }])
    await repeat(50, async () => expect(await theirs.admit()).toMatchObject({ code: 'no_trial_free' }))
    expect((await scripts()) - before).toBe(1)

    // A slot that is free again is news: so it asks again.
    if (trial?.admitted === true) await trial.permit.settle('ignored')
    await eventually(() => expect(theirs.peek()?.version).toBe(mine.peek()?.version))
    before = await scripts()
    const again = await Promise.all([theirs.admit(), theirs.admit(), theirs.admit()])
    expect(again.filter((decision) => decision.admitted)).toHaveLength(1)
    expect((await scripts()) - before).toBe(1)
  })

  it('what a trial found is known to the other process without a question', async () => {
    const { join } = await testStore()
    const [one, other] = [await join(), await join()]
    const mine = await one.provider('openai', HALF_OPEN_SOON)
    const theirs = await other.provider('openai')
    await fail(mine)
    await eventually(() => expect(mine.peek()?.state).toBe('half_open'))
    expect(await mine.execute(ok)).toBe('ok')
    await eventually(() => expect(theirs.peek()?.state).toBe('closed'))
    expect(await theirs.admit()).toMatchObject({ admitted: true, source: 'cache' })
  })
})

describe('a lost subscription', () => {
  it('leaves a process deciding by its snapshot for a second at most; then it asks, then it follows again', async () => {
    const { join, proxy: startOne } = await testStore()
    const proxy = await startOne()
    const away = await (await join({ redis: proxy.url })).provider('openai')
    const there = await (await join()).provider('openai')
    expect(await away.admit()).toMatchObject({ source: 'cache' })

    proxy.cutSubscriptions()
    const cutAt = performance.now()
    await there.trip({ reason: 'by hand' })
    let byCache = 0
    let lastByCacheMs = 0
    const asks = async () => {
      const answeredAt = performance.now()
      const decision = await away.admit()
      if (decision.source === 'redis') return true
      byCache += 1
      lastByCacheMs = answeredAt - cutAt
      return false
    }
    const { lostMs } = await besideMachine(() => eventually(asks))
    console.log(
      `subscription lost: ${byCache} decisions by the snapshot, the last ${lastByCacheMs.toFixed(0)} ms after`,
    )
    expect(byCache).toBeGreaterThan(5)
    expect(lastByCacheMs).toBeLessThan(1_300 + lostMs)
    // It asks each time now, so it is right each time.
    await repeat(5, async () =>
      expect(await away.admit()).toMatchObject({ admitted: false, code: 'circuit_open', source: 'redis' }),
    )
    await there.reset()
    expect(await away.admit()).toMatchObject({ admitted: true, source: 'redis' })

    proxy.restore()
    await eventually(async () => expect((await away.admit()).source).toBe('cache'))
    await there.trip()
    await eventually(() => expect(away.peek()?.state).toBe('open'))
  })

  it('hides no transition: what happened meanwhile is known soon after, without a question of the caller', async () => {
    const { join, proxy: startOne } = await testStore()
    const proxy = await startOne()
    const away = await (await join({ redis: proxy.url })).provider('openai')
    const there = await (await join()).provider('openai')
    proxy.cutSubscriptions()
    await there.trip({ reason: 'while nobody listened' })
    await there.markDegraded({ reason: 'slow' })
    expect(away.peek()).toMatchObject({ state: 'closed' })
    proxy.restore()
    await eventually(() => expect(away.peek()).toMatchObject({ state: 'open', mark: 'degraded' }))
    expect(await away.admit()).toMatchObject({ admitted: false, source: 'cache' })
  })

  it('that Redis itself ended is taken up again', async () => {
    const { join, redis } = await testStore()
    const [one, other] = [await join(), await join()]
    const mine = await one.provider('openai')
    const theirs = await other.provider('openai')
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await mine.trip()
    await eventually(() => expect(theirs.peek()?.state).toBe('open'))
    await eventually(async () => expect((await theirs.admit()).source).toBe('cache'))
    await mine.reset()
    await eventually(() => expect(theirs.peek()?.state).toBe('closed'))
  })
})

describe('the outbox', () => {
  it('flush() makes successes visible to another process', async () => {
    const { join } = await testStore()
    const one = await join(NEVER_BY_ITSELF)
    const mine = await one.provider('openai')
    const theirs = await (await join()).provider('openai')
    await repeat(50, () => mine.execute(ok))
    await one.flush()
    expect(await theirs.historySize()).toBe(50)
  })

  it('a process reads what it recorded itself', async () => {
    const { join } = await testStore()
    const mine = await (await join(NEVER_BY_ITSELF)).provider('openai')
    await repeat(7, () => mine.execute(ok))
    expect(await mine.historySize()).toBe(7)
  })

  it('successes are visible elsewhere after the flush interval, without a word', async () => {
    const { join } = await testStore()
    const mine = await (await join()).provider('openai')
    const theirs = await (await join()).provider('openai')
    await repeat(10, () => mine.execute(ok))
    await eventually(async () => expect(await theirs.historySize()).toBe(10))
  })

  it('a failure goes at once and carries the successes before it', async () => {
    const { join, scripts } = await testStore()
    const one = await join(NEVER_BY_ITSELF)
    const mine = await one.provider('openai')
    const theirs = await (await join()).provider('openai')
    const before = await scripts()
    await repeat(5, () => mine.execute(ok))
    await fail(mine)
    await eventually(async () => expect(await theirs.historySize()).toBe(6))
    await repeat(2, () => mine.execute(ok))
    await fail(mine)
    await eventually(async () => expect(await theirs.historySize()).toBe(9))
    const history = await theirs.history()
    expect(history.map(({ status, count }) => [status, count])).toEqual([
      ['healthy', 5],
      ['unhealthy', 1],
      ['healthy', 2],
      ['unhealthy', 1],
    ])
    expect((await theirs.snapshot()).consecutiveFailures).toBe(1)
    expect((await scripts()) - before).toBeLessThan(1_000)
  })

  it('close() under load loses nothing that had ended, and accounts for the rest', async () => {
    const { join } = await testStore()
    const one = await join({ flushIntervalMs: 50 })
    const mine = await one.provider('openai', { breaker: { failureThreshold: 1_000_000 } })
    const theirs = await (await join()).provider('openai')
    let ended = 0
    let running = true
    const caller = async (i: number) => {
      for (let n = 0; running; n += 1) {
        try {
          await mine.execute(async () => {
            await sleep(1)
            if ((n + i) % 10 === 0) throw new Error('HTTP 500')
          })
        } catch (error) {
          if (!(error instanceof Error && error.message === 'HTTP 500')) return
        }
        ended += 1
      }
    }
    const callers = Array.from({ length: 50 }, (_, i) => caller(i))
    await eventually(() => ended >= 5_000)
    const endedBefore = ended
    await one.close()
    running = false
    await Promise.all(callers)
    await eventually(async () => expect((await theirs.historySize()) + one.counters.outcomesLost).toBe(ended))
    const total = await theirs.historySize()
    console.log(
      `close() under load: ${ended} calls ended, ${endedBefore} of them before it; ${total} written, ` +
        `${one.counters.outcomesLost} ended too late`,
    )
    expect(total).toBeGreaterThanOrEqual(endedBefore)
  })

  it('sends an outcome again whose reply never came, and it counts once', async () => {
    const { join, proxy: startOne } = await testStore()
    const proxy = await startOne()
    const one = await join({ redis: proxy.url, commandTimeoutMs: 500 })
    const mine = await one.provider('openai', { breaker: { failureThreshold: 1_000_000 } })
    const theirs = await (await join()).provider('openai')
    let calls = 0
    for (let round = 1; round <= 5; round += 1) {
      proxy.loseReplies(':batches')
      await repeat(20, () => mine.execute(ok))
      await fail(mine)
      calls += 21
      await eventually(() => expect(proxy.lost).toBe(round))
      await eventually(async () => expect((await theirs.snapshot()).applied).toBe(calls))
      await eventually(async () => {
        await mine.flush()
        return (await mine.admit()).admitted
      })
    }
    expect(await theirs.historySize()).toBe(calls)
    expect(one.counters.outcomesLost).toBe(0)
    figure(6, `${proxy.lost} replies to flushes lost: ${calls} outcomes, each counted once`)
  })

  it('is bounded while Redis is away: what does not fit is counted, the rest is written later', async () => {
    const { join, proxy: startOne } = await testStore()
    const proxy = await startOne()
    const one = await join({ redis: proxy.url, commandTimeoutMs: 200 })
    const mine = await one.provider('openai')
    const theirs = await (await join()).provider('openai')
    proxy.cut()
    const COUNT = 25_000
    const all = Array.from({ length: COUNT }, (_, i) =>
      mine.record(i % 2 === 0 ? 'healthy' : 'degraded').catch(() => undefined),
    )
    await eventually(() => expect(one.counters.outcomesLost).toBeGreaterThanOrEqual(COUNT - 11_000))
    const { outcomesLost } = one.counters
    expect(outcomesLost).toBeLessThan(COUNT)
    proxy.restore()
    await eventually(async () => expect((await theirs.historySize()) + one.counters.outcomesLost).toBe(COUNT))
    await Promise.all(all)
    const kept = await theirs.historySize()
    console.log(
      `Redis away, ${COUNT} outcomes of as many runs: ${kept} written later, ${outcomesLost} lost and counted`,
    )
    expect(kept).toBeGreaterThan(5_000)
  })

  it('no failing call waits for a Redis that is away longer than for one command', async () => {
    const { join, proxy: startOne } = await testStore()
    const proxy = await startOne()
    const one = await join({ redis: proxy.url, commandTimeoutMs: 200 })
    const mine = await one.provider('openai', { breaker: { failureThreshold: 1 } })
    proxy.cut()
    const calls = Array.from({ length: 5 }, async (_, i) => {
      await sleep(30 * i)
      return besideMachine(() => Promise.race([fail(mine), sleep(8_000)]))
    })
    for (const { ms, lostMs } of await Promise.all(calls)) expect(ms).toBeLessThan(2_000 + lostMs)
  })
})
