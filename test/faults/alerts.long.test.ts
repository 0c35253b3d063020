import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type AlertOptions } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { removeKeys } from '../harness/fleet.js'
import { freePort, isSigned, startHookServer, type HookServer } from '../harness/hook-server.js'
import { redisUrl, testNamespace } from '../harness/redis.js'
import { contentOf } from '../harness/redis-content.js'
import { forkWorker, type Worker } from '../harness/workers/fork.mjs'

const PROCESSES = 10
const SECRET = 'a-secret-of-the-fleet'
const PATH = '/a-path-that-is-a-secret'

interface Actions {
  fail(times: number): Promise<void>
  control(method: 'trip' | 'reset', options: object): Promise<void>
  lines(): string[]
}

/** The fleet of all cases, one after the other: ten processes with three hooks. */
describe(`${PROCESSES} processes that send alerts`, () => {
  const namespace = testNamespace()
  const redis = new Redis(redisUrl())
  const ends: (() => Promise<void>)[] = []
  const register = (end: () => Promise<void>) => void ends.push(end)
  const workers = new Map<string, Worker<Actions>>()
  let ops: HookServer
  let chat: HookServer
  let downPort = 0

  const alerts: AlertOptions = {
    hooks: {
      ops: { kind: 'webhook', url: '${env:OPS_URL}', secret: '${env:OPS_SECRET}' },
      chat: { kind: 'slack', url: '${env:CHAT_URL}' },
      down: { kind: 'webhook', url: '${env:DOWN_URL}' },
    },
    groupMs: 1_000,
    retryMs: 50,
  }

  const start = async (workerId: string) => {
    const env = {
      OPS_URL: ops.url + PATH,
      OPS_SECRET: SECRET,
      CHAT_URL: chat.url + PATH,
      DOWN_URL: `http://127.0.0.1:${downPort}${PATH}`,
    }
    const job = { redis: redisUrl(), namespace, workerId, id: 'api', source: {}, extra: { alerts } }
    workers.set(workerId, await forkWorker<Actions>('alerting', job, { env }))
  }
  const one = () => [...workers.values()][0] ?? expect.unreachable()

  /** Nothing of a hook waits, or is under way. */
  const quiet = async (hook: string) => {
    const queue = `{${namespace}}:alerts-${hook}`
    const counts = [
      redis.zcard(`${queue}:delayed`),
      redis.llen(`${queue}:wait`),
      redis.llen(`${queue}:active`),
    ]
    return (await Promise.all(counts)).every((count) => count === 0)
  }

  beforeAll(async () => {
    ops = await startHookServer(0, register)
    chat = await startHookServer(0, register)
    downPort = await freePort()
    await Promise.all(Array.from({ length: PROCESSES }, (_, i) => start(`worker-${i + 1}`)))
  })

  afterAll(async () => {
    await Promise.all([...workers.values()].map((worker) => worker.kill()))
    for (const end of ends) await end()
    await removeKeys(redis, namespace)
    await redis.quit()
  })

  it('tell a hook of one opening once, signed', async () => {
    await eventually(() => quiet('ops'))
    await one().ask('fail', 3)
    await eventually(() => ops.deliveries.length > 0 && chat.deliveries.length > 0)
    await eventually(async () => (await quiet('ops')) && (await quiet('chat')))
    expect(ops.messages()).toMatchObject([
      { status: 'firing', alerts: [{ provider: 'api', kind: 'opened', counts: { opened: 1 } }] },
    ])
    expect(chat.deliveries).toHaveLength(1)
    expect(ops.deliveries.every((delivery) => isSigned(delivery, SECRET))).toBe(true)
    // Each process added the same job.
    expect(await redis.zcard(`{${namespace}}:alerts-ops:completed`)).toBeLessThanOrEqual(4)
  })

  it('tell a hook that was down once, late; and then, in one message, of a provider that flapped', async () => {
    for (let i = 0; i < 4; i += 1) {
      await one().ask('control', 'reset', { actor: 'test' })
      await one().ask('control', 'trip', { actor: 'test' })
    }
    await one().ask('control', 'reset', { actor: 'test' })
    await eventually(() => ops.messages().at(-1)?.status === 'resolved')
    const flapped = ops.messages().slice(1)
    expect(flapped.length).toBeLessThanOrEqual(2) // one, unless the machine stood still between two changes
    const down = await startHookServer(downPort, register)
    await eventually(() => down.deliveries.length >= 2)
    await eventually(() => quiet('down'))
    expect(down.messages()).toMatchObject([
      { alerts: [{ provider: 'api', kind: 'opened', counts: { opened: 1 } }] },
      { alerts: [{ provider: 'api', kind: 'reset', counts: { opened: 4, reset: 5 } }] },
    ])
  })

  it('send the same id again when one is killed in mid-post', async () => {
    const before = ops.deliveries.length
    ops.answer('hold')
    await one().ask('control', 'trip', { actor: 'test' })
    await eventually(() => ops.deliveries.length > before)
    const held = ops.deliveries[before]
    const killed = workers.get(held?.worker ?? '')
    workers.delete(held?.worker ?? '')
    await killed?.kill()
    ops.answer(200)
    await eventually(() => ops.deliveries.length > before + 1, { timeoutMs: 60_000 })
    const again = ops.deliveries[before + 1]
    expect(again).toMatchObject({ id: held?.id, body: held?.body })
    expect(again?.worker).not.toBe(held?.worker)
    await eventually(() => quiet('ops'))
    expect(ops.deliveries).toHaveLength(before + 2)
  })

  it('leave what happens without them to those that come later, and no secret anywhere', async () => {
    const lines = (await Promise.all([...workers.values()].map((worker) => worker.ask('lines')))).flat()
    expect(lines.length).toBeGreaterThan(0)
    await Promise.all([...workers.values()].map((worker) => worker.kill()))
    workers.clear()
    const before = ops.deliveries.length
    const busbar = await connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })
    const provider = await busbar.lookup('api')
    await provider?.reset({ reason: 'while all were away' })
    await busbar.close()
    await start('worker-late')
    await eventually(() => ops.deliveries.length > before, { timeoutMs: 60_000 })
    expect(ops.messages().at(-1)?.alerts).toMatchObject([{ kind: 'reset', reason: 'while all were away' }])
    expect(new Set(ops.deliveries.map(({ id }) => id)).size).toBe(ops.deliveries.length - 1)

    const everything = `${await contentOf(redis, namespace)} ${lines.join(' ')}`
    for (const secret of [SECRET, PATH, ops.url, chat.url]) expect(everything).not.toContain(secret)
  })
})
