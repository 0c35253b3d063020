import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect, type Busbar } from '../../src/index.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisFeed } from '../../src/redis/feed.js'
import { eventually } from '../harness/eventually.mjs'

/** A server of its own, a busbar on it, and a client that may do anything. */
async function testStore(onTestFinished: (fn: () => Promise<void>) => void, args: string[] = []) {
  const server = await startRedis({ args })
  const admin = new Redis(server.url, { retryStrategy: () => null }).on('error', () => undefined)
  const busbars: Busbar[] = []
  onTestFinished(async () => {
    await Promise.all(busbars.map((busbar) => busbar.close({ timeoutMs: 0 })))
    admin.disconnect()
    await server.stop()
  })
  const join = async (url = server.url) => {
    const busbar = await connect({ redis: url, logger: false, commandTimeoutMs: 1_000 })
    busbars.push(busbar)
    return busbar
  }
  return { server, admin, join }
}

/** What the write of a statement is refused with. */
const refusal = (busbar: Busbar): Promise<unknown> =>
  busbar.provider('openai').then(
    (provider) =>
      provider.markDegraded({ reason: 'a test' }).then(
        () => 'none',
        (error: unknown) => error,
      ),
    (error: unknown) => error,
  )

test('a wrong password and none: connect says so at once, and that waiting does not help', async ({
  onTestFinished,
}) => {
  const { server, join } = await testStore(onTestFinished, ['--requirepass', 'right'])
  await expect(join()).rejects.toThrow('NOAUTH')
  await expect(join()).rejects.toMatchObject({ code: 'redis_unavailable', failure: 'permanent' })
  const wrong = server.url.replace('redis://', 'redis://:wrong@')
  await expect(join(wrong)).rejects.toMatchObject({ failure: 'permanent' })
  await expect(join(wrong)).rejects.toThrow(/WRONGPASS/)
  await expect(join(wrong)).rejects.not.toThrow(/wrong@/)
  await join(server.url.replace('redis://', 'redis://:right@'))
})

test('a user without rights', async ({ onTestFinished }) => {
  const { server, admin, join } = await testStore(onTestFinished)
  await admin.call('ACL', 'SETUSER', 'poor', 'on', '>secret', '~*', '&*', '+info', '+ping')
  const joining = join(server.url.replace('redis://', 'redis://poor:secret@'))
  await expect(joining).rejects.toMatchObject({ code: 'redis_unavailable', failure: 'permanent' })
  await expect(joining).rejects.toThrow(/lacks a right; docs\/operations\.md .*NOPERM/)
})

test('a full Redis, a replica, and one that a script keeps busy', async ({ onTestFinished }) => {
  const { admin, join } = await testStore(onTestFinished, ['--lua-time-limit', '50'])
  const busbar = await join()
  expect(await refusal(busbar)).toBe('none')

  await admin.config('SET', 'maxmemory', '1')
  expect(String(await refusal(busbar))).toMatch(/maxmemory .*OOM/)
  await admin.config('SET', 'maxmemory', '0')

  await admin.call('REPLICAOF', '127.0.0.1', '1')
  expect(String(await refusal(busbar))).toMatch(/is a replica.*READONLY/)
  await admin.call('REPLICAOF', 'NO', 'ONE')

  const busy = admin.duplicate()
  onTestFinished(() => busy.disconnect())
  const endless = busy.eval('while true do end', 0).catch((error: unknown) => String(error))
  await eventually(async () => String(await refusal(busbar)).includes('BUSY'))
  await admin.call('SCRIPT', 'KILL')
  expect(await endless).toContain('killed')
  await eventually(async () => (await refusal(busbar)) === 'none')
})

test('the right to the channel, taken away and given back: no unhandled rejection, a gap, and messages again', async ({
  onTestFinished,
}) => {
  const { server, admin } = await testStore(onTestFinished)
  await admin.call('ACL', 'SETUSER', 'bus', 'on', '>secret', '~*', '&busbar:*', '+@all')
  const errors: string[] = []
  const url = server.url.replace('redis://', 'redis://bus:secret@')
  const onError = (error: Error) => void errors.push(error.message)
  const connection = new RedisConnection(url, { commandTimeoutMs: 1_000, unref: false, onError })
  await connection.connect()
  const feed = new RedisFeed(connection, 'busbar', onError)
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  onTestFinished(async () => {
    process.off('unhandledRejection', unhandled)
    await feed.close()
    connection.close()
  })
  const heard = { change: vi.fn(), lost: vi.fn(), gap: vi.fn() }
  await feed.subscribe(heard)

  await admin.call('ACL', 'SETUSER', 'bus', 'resetchannels')
  await eventually(() => errors.some((message) => message.includes('NOPERM')))
  expect([heard.lost.mock.calls.length, heard.gap.mock.calls.length]).toEqual([1, 0])

  await admin.call('ACL', 'SETUSER', 'bus', '&busbar:*')
  await eventually(() => heard.gap.mock.calls.length === 1)
  await admin.publish('busbar:changes', 'not a change')
  await eventually(() => errors.some((message) => /JSON|change/i.test(message)))
  expect(unhandled).not.toHaveBeenCalled()
})
