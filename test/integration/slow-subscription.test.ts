import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { startProxy } from '../harness/proxy.js'

/** Replies on a subscription come later than one attempt may take; commands go through. */
const SLOW_MS = 3_000

async function testStore() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startProxy(server.port)
  const lines: string[] = []
  const note = (_fields: object, message: string) => void lines.push(message)
  const logger = { debug: () => undefined, info: () => undefined, warn: note, error: note }
  const join = async (redis: string) => {
    const busbar = await connect({ redis, logger, commandTimeoutMs: 2_000 })
    onTestFinished(() => busbar.close({ timeoutMs: 500 }))
    return busbar
  }
  return { server, proxy, lines, join }
}

test('a process whose subscription is slow at the start decides by asking Redis, says so, and follows as soon as it can', async () => {
  const { server, proxy, lines, join } = await testStore()
  proxy.delaySubscriptions(SLOW_MS)
  const near = await join(proxy.url)
  const far = await join(server.url)
  const heard: string[] = []
  near.on('opened', ({ reason }) => heard.push(reason))
  const mine = await near.provider('openai', { breaker: { cooldownMs: 60_000 } })
  const theirs = await far.provider('openai')
  expect(near.degradedSince).toBeUndefined()
  await eventually(() => expect(lines).toEqual(['not subscribed yet: every decision asks Redis until it is']))
  await theirs.trip({ reason: 'unheard' })
  expect(await mine.admit()).toMatchObject({ admitted: false, code: 'circuit_open', source: 'redis' })
  await theirs.reset()
  expect(await mine.admit()).toMatchObject({ admitted: true, source: 'redis' })
  proxy.delaySubscriptions(0)
  await eventually(async () => (await mine.admit()).source === 'cache')
  await theirs.trip({ reason: 'heard' })
  await eventually(() => expect(heard).toEqual(['heard']))
})

test('a process that began without Redis, and whose subscription is slow when Redis comes, follows as soon as it can', async () => {
  const { server, proxy, join } = await testStore()
  proxy.cut()
  const near = await join(proxy.url)
  const far = await join(server.url)
  expect(near.degradedSince).toBeDefined()
  const mine = await near.provider('openai', { breaker: { cooldownMs: 60_000 } })
  proxy.delaySubscriptions(SLOW_MS)
  proxy.restore()
  // Commands are answered: that messages do not come yet is no outage.
  await eventually(() => expect(near.degradedSince).toBeUndefined())
  await eventually(async () => (await mine.admit()).source === 'redis')
  proxy.delaySubscriptions(0)
  await eventually(async () => (await mine.admit()).source === 'cache')
  const heard: string[] = []
  near.on('opened', ({ reason }) => heard.push(reason))
  await (await far.provider('openai')).trip({ reason: 'heard' })
  await eventually(() => expect(heard).toEqual(['heard']))
})
