import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import type { Worker } from '../harness/workers/fork.mjs'
import { isAlive } from '../harness/process.js'
import { caller, privateRedis, trafficWorker, type PrivateRedis, type TrafficActions } from './workers.js'

const settings = { breaker: { cooldownMs: 600_000 } }
const extra = { callMs: 0, pauseMs: 1 }

async function trafficOn(server: PrivateRedis): Promise<Worker<TrafficActions>[]> {
  const start = () =>
    trafficWorker(server, { clockDouble: false, settings, extra, options: { commandTimeoutMs: 1_000 } })
  const workers = await Promise.all([start(), start(), start()])
  await Promise.all(workers.map((one) => one.ask('start')))
  return workers
}

const calls = async (workers: readonly Worker<TrafficActions>[]) =>
  Promise.all(workers.map(async (one) => (await one.ask('seen')).calls))

test('SCRIPT FLUSH in mid-traffic costs nobody a call', async () => {
  const server = await privateRedis()
  const workers = await trafficOn(server)
  let flushes = 0
  const enough = async () => {
    await server.redis.script('FLUSH')
    flushes += 1
    return flushes >= 50 && (await calls(workers)).every((count) => count >= 200)
  }
  await eventually(enough, { what: 'traffic goes on', timeoutMs: 120_000 })
  const ended = await Promise.all(workers.map((one) => one.ask('stop')))
  const total = ended.reduce((sum, one) => sum + one.calls, 0)
  expect(ended.map((one) => one.errors)).toEqual([{}, {}, {}])
  expect(ended.map((one) => one.refused)).toEqual([{}, {}, {}])
  figure(8, `${flushes} times SCRIPT FLUSH during ${total} calls of 3 processes: 0 errors`)
})

const losses: [string, { persistent: boolean }, (server: PrivateRedis) => Promise<void>][] = [
  ['FLUSHALL', { persistent: false }, (server) => server.wipe()],
  ['a restart without persistence', { persistent: false }, (server) => server.restart()],
  ['a restart with persistence', { persistent: true }, (server) => server.restart()],
]

test.each(losses)(
  '%s in mid-traffic: nobody dies, an open circuit is open again',
  async (what, manner, lose) => {
    const server = await privateRedis(manner)
    const workers = await trafficOn(server)
    const options = { clockDouble: false, settings, options: { commandTimeoutMs: 1_000 } }
    const operator = await caller(server, options)
    await eventually(async () => (await calls(workers)).every((count) => count >= 20), 'traffic flows')
    await operator.ask('control', 'trip', { reason: 'by hand' })
    await lose(server)
    const began = performance.now()
    // Where it had been forgotten, somebody who knew of the trip told the new Redis.
    const open = async () => (await server.redis.hget('private:{openai}:circuit', 'state')) === 'open'
    await eventually(open, 'protection is back')
    const backMs = performance.now() - began
    const before = await circuitRefusals(workers)
    const asked = async () => (await circuitRefusals(workers)).every((n, i) => n >= (before[i] ?? 0) + 20)
    await eventually(asked, 'everybody is refused by it')
    const ended = await Promise.all(workers.map((one) => one.ask('stop')))
    // It was idle, and says that Redis is away until its own ping was answered.
    const answered = () =>
      operator.ask('snapshot').then(
        () => true,
        (error: unknown) => code(error) !== 'redis_unavailable',
      )
    await eventually(answered, 'the idle process is back')
    expect(await operator.ask('snapshot')).toMatchObject({
      state: 'open',
      reason: 'by hand',
      retryAfterMs: null,
    })
    // What a call meets while Redis is away has a name.
    for (const { errors } of ended)
      expect(Object.keys(errors).every((code) => code === 'redis_unavailable')).toBe(true)
    expect(workers.map((one) => isAlive(one.pid))).toEqual([true, true, true])
    figure(
      8,
      `${what} during the traffic of 3 processes: a tripped circuit open again within ${backMs.toFixed(0)} ms of ` +
        `Redis's return, nobody died`,
    )
  },
)

const circuitRefusals = (workers: readonly Worker<TrafficActions>[]) =>
  Promise.all(workers.map(async (one) => (await one.ask('seen')).refused.circuit_open ?? 0))

test('a removed provider stays removed, also after a restart of Redis', async () => {
  const server = await privateRedis()
  const options = { clockDouble: false, options: { commandTimeoutMs: 1_000 } }
  const keeper = await caller(server, { ...options, id: 'kept' })
  const holder = await caller(server, { ...options, id: 'gone' })
  const remover = await caller(server, { ...options, id: 'gone' })
  await remover.ask('remove')
  const providers = () => server.redis.zrange('private:providers', 0, -1)
  const removed = async () => {
    await expect(holder.ask('record', 'unhealthy')).rejects.toMatchObject({ code: 'provider_removed' })
    await expect(holder.ask('admit', 'no')).rejects.toMatchObject({ code: 'provider_removed' })
    await expect(remover.ask('snapshot')).rejects.toMatchObject({ code: 'provider_removed' })
    expect(await server.redis.keys('private:{gone}:*')).toEqual([])
    expect(await providers()).toEqual(['kept'])
  }
  await removed()
  await server.restart()
  await eventually(async () => {
    await keeper.ask('admit', 'any').catch(() => undefined)
    return (await providers()).includes('kept')
  }, 'the other provider is back')
  // Their connections come back by themselves; until then they say that Redis is away.
  for (const one of [holder, remover]) {
    const reconnected = async () => {
      const error: unknown = await one.ask('snapshot').catch((error: unknown) => error)
      return code(error) !== 'redis_unavailable'
    }
    await eventually(reconnected, 'the process is connected again')
  }
  await removed()
  figure(8, 'a provider removed before Redis was restarted empty: still removed in 2 processes')
})

const code = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'code' in value ? value.code : undefined
