import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { connect } from '../../src/index.js'
import { startRedis } from '../../src/embedded/index.js'
import { eventually } from '../harness/eventually.mjs'

const run = promisify(execFile)

test('while Redis is away an error says so in words, and with `deny` an admission is refused', async ({
  onTestFinished,
}) => {
  const server = await startRedis()
  const busbar = await connect({ redis: server.url, logger: false, onRedisDown: 'deny' })
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('openai')
  await server.stop()
  const gone = async () =>
    (await provider.state().catch((error: unknown) => String(error))).includes('not connected')
  await eventually(gone)
  await expect(provider.state()).rejects.toThrow('no answer from Redis for snapshot openai: not connected')
  await eventually(async () => !(await provider.admit()).admitted)
  expect(await provider.admit()).toMatchObject({ admitted: false, code: 'redis_down', source: 'fallback' })
  expect(busbar.counters.admissionsWithoutRedis).toBeGreaterThanOrEqual(1)
})

test('with unref a process ends by itself, connected or while Redis is away', async ({ onTestFinished }) => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const script = `
    import { connect } from 'busbar'
    import { Redis } from 'ioredis'
    const busbar = await connect({ redis: process.argv[1], unref: true, logger: false })
    const provider = await busbar.provider('openai')
    if (process.argv[2] === 'away') {
      const admin = new Redis(process.argv[1], { retryStrategy: () => null }).on('error', () => undefined)
      await admin.shutdown('NOSAVE').catch(() => undefined)
      while ((await provider.admit()).source !== 'fallback') await new Promise((resolve) => setTimeout(resolve, 10))
    }
    console.log('done')`
  for (const how of ['connected', 'away']) {
    const args = ['--input-type=module', '-e', script, server.url, how]
    const { stdout } = await run(process.execPath, args, { timeout: 15_000 })
    expect(stdout.trim()).toBe('done')
  }
})

test('a client of the user keeps its options and stays open', async ({ onTestFinished }) => {
  const { Redis } = await import('ioredis')
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const mine = new Redis(server.url, {
    stringNumbers: true,
    enableAutoPipelining: true,
    connectionName: 'mine',
  })
  const busbar = await connect({ redis: mine, namespace: 'fleet', logger: false })
  const provider = await busbar.provider('openai')
  expect(await provider.execute(() => 1)).toBe(1)
  await busbar.close()
  expect(await mine.ping()).toBe('PONG')
  expect(mine.options).toMatchObject({ stringNumbers: true, enableAutoPipelining: true, keyPrefix: '' })
  expect(await mine.keys('*')).toContain('fleet:{openai}:circuit')
  await mine.quit()
})

test('a Redis that is full for a moment is waited for: at the start, and by a process that lost its connections', async ({
  onTestFinished,
}) => {
  const { Redis } = await import('ioredis')
  const server = await startRedis({ args: ['--maxclients', '12'] })
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  await admin.ping()
  const join = async () => {
    const busbar = await connect({ redis: server.url, logger: false })
    onTestFinished(() => busbar.close({ timeoutMs: 500 }))
    return busbar
  }
  const running = await join()
  const provider = await running.provider('openai')
  await admin.config('SET', 'maxclients', '1')
  const late = await join()
  expect(late.degradedSince).toBeDefined()
  await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await admin.client('KILL', 'TYPE', 'pubsub')
  const degraded = async () => (await provider.admit()).source === 'fallback'
  await eventually(degraded)
  expect(await provider.execute(() => 'served')).toBe('served')
  await admin.config('SET', 'maxclients', '12')
  for (const busbar of [running, late]) await eventually(() => busbar.degradedSince === undefined)
  expect(await provider.state()).toBe('closed')
})
