import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/index.js'
import type { RedisAddress } from '../../src/redis/address.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl, testNamespace } from '../harness/redis.js'

async function member(namespace: string, redis: RedisAddress) {
  const busbar = await connect({ redis, namespace, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(async () => {
    await busbar.remove('openai').catch(() => undefined)
    await busbar.close()
  })
  const heard: string[] = []
  busbar.on('opened', ({ reason }) => heard.push(reason))
  const openai = await busbar.provider('openai', { breaker: { cooldownMs: 60_000 } })
  return { openai, heard }
}

/** A fleet in database 3, reached in several ways; database 0 of the same server has one of the same namespace. */
test('fleets of one namespace in two databases hear nothing of each other, however the database is given', async () => {
  const namespace = testNamespace()
  const { hostname: host, port } = new URL(redisUrl())
  const selected = new Redis(redisUrl())
  onTestFinished(() => selected.disconnect())
  await selected.select(3)
  const zero = [await member(namespace, redisUrl()), await member(namespace, { host, port: Number(port) })]
  const three = [
    await member(namespace, `${redisUrl()}/3`),
    await member(namespace, `${redisUrl()}?db=3`),
    await member(namespace, { host, port: Number(port), db: 3 }),
    await member(namespace, selected),
  ]
  await three[0]?.openai.trip({ reason: 'three' })
  for (const { heard } of three) await eventually(() => expect(heard).toEqual(['three']))
  await zero[0]?.openai.trip({ reason: 'zero' })
  for (const { heard } of zero) await eventually(() => expect(heard).toEqual(['zero']))
  await three[1]?.openai.reset()
  for (const { openai } of three) await eventually(() => expect(openai.peek()?.state).toBe('closed'))
  for (const { openai } of zero) expect(openai.peek()).toMatchObject({ state: 'open', reason: 'zero' })
  expect(three.flatMap(({ heard }) => heard)).not.toContain('zero')
})

test('the channel bears the number of every database but the first, as docs/keys.md says', async () => {
  const namespace = testNamespace()
  const listener = new Redis(redisUrl())
  onTestFinished(() => listener.disconnect())
  const channels: string[] = []
  listener.on('pmessage', (_pattern: string, channel: string) => channels.push(channel))
  await listener.psubscribe(`${namespace}:*`)
  for (const database of [0, 3]) await member(namespace, `${redisUrl()}/${database}`)
  await eventually(() =>
    expect([...new Set(channels)]).toEqual([`${namespace}:changes`, `${namespace}:changes:3`]),
  )
})
