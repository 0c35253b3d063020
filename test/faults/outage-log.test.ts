import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import { connect, type Busbar } from '../../src/index.js'
import { figure } from '../harness/figure.js'
import { startUpstream } from '../harness/http-upstream.js'
import { BEGAN, ENDED, keepLines, LET_IN, LOCKED_OUT } from '../harness/log-lines.js'
import { eventually } from '../harness/eventually.mjs'

/** A process that calls all the time and probes, on a server that can be killed and started again. */
async function busyProcess() {
  let server: EmbeddedRedis = await startRedis()
  const { url, port } = server
  const upstream = await startUpstream()
  const said = keepLines()
  const busbar = await connect({ redis: url, logger: said.logger, commandTimeoutMs: 1_000 })
  onTestFinished(async () => {
    await busbar.close({ timeoutMs: 0 })
    await server.stop()
  })
  const providers = await Promise.all(
    ['one', 'two', 'three'].map((id) =>
      busbar.provider(id, {
        probe: { kind: 'http', url: upstream.url, intervalMs: 2_000, timeoutMs: 1_900 },
      }),
    ),
  )
  await busbar.startProbes()
  const calls = setInterval(() => {
    for (const provider of providers) void provider.execute(() => 1).catch(() => undefined)
  }, 10)
  onTestFinished(() => clearInterval(calls))
  await eventually(() => upstream.requests.length >= 3, 'it probes')
  said.lines.length = 0
  return {
    busbar,
    said,
    kill: () => server.stop(),
    start: async () => {
      server = await startRedis({ port })
    },
  }
}

const lost = (busbar: Busbar, is: boolean) =>
  eventually(() => (busbar.degradedSince !== undefined) === is, is ? 'lost' : 'back')

test('Redis killed under calls and probes: one line when the outage begins, one when it ends, and none between', async () => {
  const { busbar, said, kill, start } = await busyProcess()
  await kill()
  await lost(busbar, true)
  await eventually(() => said.words().includes(BEGAN), 'the beginning is said')
  const before = busbar.counters.connectionErrors
  // Every connection of the process has tried a few times in vain: its errors alternate.
  await eventually(() => busbar.counters.connectionErrors - before >= 40, 'errors')
  expect(said.words()).toEqual([BEGAN])
  await start()
  await lost(busbar, false)
  await eventually(() => said.words().includes(ENDED), 'the end is said')
  expect(said.words()).toEqual([BEGAN, ENDED])
  const [began, ended] = said.lines
  expect(String(Reflect.get(began?.fields ?? {}, 'reason'))).toMatch(/ECONN|EPIPE|not connected/)
  const suppressed = JSON.stringify(Reflect.get(ended?.fields ?? {}, 'suppressed'))
  expect(suppressed).toMatch(/"Redis connection error":\d+/)
  figure(17, `Redis killed under calls and probes: 2 lines, suppressed ${suppressed}`)
})

test('a store that comes and goes is one outage, and its last line says how often', async () => {
  const { busbar, said, kill, start } = await busyProcess()
  let flaps = 0
  busbar.on('store_lost', () => (flaps += 1))
  for (let i = 0; i < 3; i += 1) {
    await kill()
    await lost(busbar, true)
    await start()
    await lost(busbar, false)
  }
  await eventually(() => said.words().includes(ENDED), 'the end is said')
  expect(said.words()).toEqual([BEGAN, ENDED])
  expect(said.lines[1]?.fields).toMatchObject({ flapped: flaps - 1 })
})

test('a password that was changed: one line, which says what to do; back by itself when it is right again', async () => {
  const server = await startRedis({ args: ['--requirepass', 'first'] })
  const admin = new Redis(server.url, { password: 'first' })
  const said = keepLines()
  const busbar = await connect({
    redis: server.url.replace('redis://', 'redis://:first@'),
    logger: said.logger,
    commandTimeoutMs: 1_000,
  })
  onTestFinished(async () => {
    await busbar.close({ timeoutMs: 0 })
    admin.disconnect()
    await server.stop()
  })
  const provider = await busbar.provider('openai', { breaker: { failureThreshold: 3 } })
  await admin.config('SET', 'requirepass', 'second')
  // All but our own, which was let in before.
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await lost(busbar, true)
  await eventually(() => said.words().includes(LOCKED_OUT), 'it is said')
  await eventually(() => busbar.counters.connectionErrors >= 15, 'errors')
  for (let i = 0; i < 3; i += 1)
    await provider.execute(() => Promise.reject(new Error('dead'))).catch(() => undefined)
  await expect(provider.execute(() => 1)).rejects.toMatchObject({ code: 'circuit_open' })
  expect(said.words()).toEqual([LOCKED_OUT])
  const reason = String(Reflect.get(said.lines[0]?.fields ?? {}, 'reason'))
  expect(reason).toMatch(/does not know this user and password.*WRONGPASS/)
  expect(JSON.stringify(said.lines)).not.toContain('first')
  await admin.config('SET', 'requirepass', 'first')
  await lost(busbar, false)
  await eventually(() => said.words().includes(LET_IN), 'the end is said')
  expect(said.words()).toEqual([LOCKED_OUT, LET_IN])
})
