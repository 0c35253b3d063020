import { expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisStore } from '../../src/redis/store.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl, testNamespace } from '../harness/redis.js'

const resumed = (events: readonly { readonly kind: string; readonly reason: string }[]) =>
  events.filter(({ kind }) => kind === 'resumed').map(({ reason }) => reason)

test('the end of a mark is announced by one of the processes that follow, though nobody calls', async ({
  onTestFinished,
}) => {
  const namespace = testNamespace()
  const fleet = await Promise.all(
    [1, 2, 3].map(() => connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })),
  )
  onTestFinished(async () => {
    await Promise.all(fleet.map((busbar) => busbar.close()))
  })
  const providers = await Promise.all(fleet.map((busbar) => busbar.provider('openai')))
  const heard: string[] = []
  for (const busbar of fleet) busbar.on('resumed', ({ reason }) => heard.push(reason))
  await providers[0]?.markUnhealthy({ forMs: 300 })
  await eventually(() => expect(heard).toEqual(Array(3).fill('the mark ended')))
  expect(resumed((await providers[1]?.events()) ?? [])).toEqual(['the mark ended'])
})

test('a pass over everything announces what no process saw end', async ({ onTestFinished }) => {
  const namespace = testNamespace()
  const onError = (error: Error) => console.error(error)
  const connection = new RedisConnection(redisUrl(), { commandTimeoutMs: 60_000, unref: false, onError })
  await connection.connect()
  const store = new RedisStore(connection, namespace)
  onTestFinished(() => store.close())
  const busbar = await connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })
  await busbar.provider('openai')
  await busbar.close()
  const control = { worker: 'gone', knownVersion: 0, actor: 'ops', reason: 'a test', notAfterMs: 9e12 }
  await store.mark('openai', { ...control, mark: 'unhealthy', forMs: 1 })
  const prober = await connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(() => prober.close())
  await prober.startProbes()
  await eventually(async () => {
    expect(resumed(await store.events('openai', 10))).toEqual(['the mark ended'])
  })
})
