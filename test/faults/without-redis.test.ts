import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { freePort } from '../../src/embedded/port.js'
import { connect } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { startUpstream } from '../harness/http-upstream.js'
import { startProxy } from '../harness/proxy.js'

test('a process that began without Redis outlives the losses that come later, by every kind of address', async () => {
  const port = await freePort()
  const addresses = [
    `redis://127.0.0.1:${port}`,
    { host: '127.0.0.1', port },
    new Redis(port, { lazyConnect: true }),
  ]
  const busbars = await Promise.all(addresses.map((redis) => connect({ redis, logger: false })))
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close({ timeoutMs: 1_000 })))
  })
  const away = (is: boolean) =>
    eventually(
      () => Promise.resolve(busbars.every(({ degradedSince }) => (degradedSince !== undefined) === is)),
      is ? 'all know' : 'all are back',
    )
  for (let round = 1; round <= 3; round += 1) {
    await away(true)
    const server = await startRedis({ port })
    onTestFinished(() => server.stop())
    await away(false)
    await server.stop()
  }
})

test('startProbes while Redis is down says so; asked again when it is there it probes, and goes on after the next loss', async () => {
  const port = await freePort()
  const upstream = await startUpstream()
  const busbar = await connect({
    redis: `redis://127.0.0.1:${port}`,
    logger: false,
    providers: { openai: { probe: { kind: 'http', url: upstream.url, intervalMs: 200, timeoutMs: 150 } } },
  })
  onTestFinished(() => busbar.close({ timeoutMs: 1_000 }))
  const began = performance.now()
  await expect(busbar.startProbes()).rejects.toMatchObject({
    code: 'redis_unavailable',
    failure: 'unanswered',
  })
  const saidMs = performance.now() - began

  const first = await startRedis({ port })
  onTestFinished(() => first.stop())
  await eventually(() => busbar.degradedSince === undefined, 'joined')
  // The one that was refused left nothing behind: no probe before it is asked again.
  expect(upstream.requests).toEqual([])
  const probes = await busbar.startProbes()
  const more = async (count: number) => {
    const { length } = upstream.requests
    await eventually(() => upstream.requests.length >= length + count, `${count} probes`)
  }
  await more(3)

  await first.stop()
  await eventually(() => busbar.degradedSince !== undefined, 'lost')
  const second = await startRedis({ port })
  onTestFinished(() => second.stop())
  const backAt = performance.now()
  await more(3)
  const goesOnMs = performance.now() - backAt
  await probes.close()
  figure(
    13,
    `startProbes without Redis refused after ${saidMs.toFixed(0)} ms; three probes within ${goesOnMs.toFixed(0)} ms ` +
      `of the return of a Redis that was lost and came back empty`,
  )
})

test.each([
  ['what is planned', ':intervals'],
  ['which names it serves', ':named_queues'],
  ['what is due', ':claimed'],
])('startProbes asks again where the answer is lost: %s', async (_what, key) => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startProxy(server.port)
  const busbar = await connect({ redis: proxy.url, logger: false, commandTimeoutMs: 2_000 })
  onTestFinished(() => busbar.close({ timeoutMs: 1_000 }))
  proxy.loseReplies(key)
  let calls = 0
  await busbar.startProbes({ functions: { count: () => (calls += 1) > 0 } })
  expect(proxy.lost).toBe(1)
  await busbar.provider('a', { probe: { kind: 'function', name: 'count', intervalMs: 200 } })
  await eventually(() => calls >= 3, 'three probes')
})
