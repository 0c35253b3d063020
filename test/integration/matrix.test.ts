import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { startRedis } from '../../src/embedded/index.js'
import { createHandler } from '../../src/http/index.js'
import { MAX_PROVIDERS } from '../../src/http/matrix-state.js'
import { RedisConnection } from '../../src/redis/connection.js'
import { RedisStore } from '../../src/redis/store.js'
import { createTestBusbar } from '../../src/testing.js'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet } from '../harness/http-fleet.js'

interface Answer {
  readonly sentences: readonly string[]
  readonly workers: readonly { readonly id: string; readonly calls: number; readonly verdict: string }[]
  readonly providers: readonly { readonly id: string }[]
  readonly cells: readonly { readonly worker: string; readonly provider: string; readonly calls: number }[]
  readonly omitted: { readonly providers: number }
  readonly readAt: number
  readonly nextInMs: number
}
const answerOf = (body: unknown) => body as Answer // of the handler under test

type Get = (path: string) => Promise<{ readonly body: unknown }>

/** The matrix, once it is as it should be: a provider is read every two seconds. */
async function matrixOnce(get: Get, isSo: (answer: Answer) => boolean): Promise<Answer> {
  let seen: Answer | undefined
  await eventually(
    async () => {
      seen = answerOf((await get('/api/matrix')).body)
      return isSo(seen)
    },
    { what: 'the matrix', everyMs: 100 },
  )
  if (seen === undefined) throw new Error('no answer')
  return seen
}

/** What the server was asked for while `work` ran, by command; those inside of scripts are among it. */
async function commandsOf(redis: Redis, work: () => Promise<unknown>): Promise<Record<string, number>> {
  await redis.config('RESETSTAT')
  await work()
  const stats = await redis.info('commandstats')
  const calls = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(
    ([, command = '', count]) => [command, Number(count)] as const,
  )
  return Object.fromEntries(calls.filter(([command]) => !/^(config|info)/.test(command)))
}

describe('the calls of each worker', () => {
  it('cost a batch nothing while nobody looks, and two commands while somebody does', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const redis = new Redis(server.url)
    const connection = new RedisConnection(server.url, {
      commandTimeoutMs: 20_000,
      unref: false,
      onError: (error) => console.error(error),
    })
    await connection.connect()
    const store = new RedisStore(connection, 'cost')
    onTestFinished(async () => {
      await store.close()
      redis.disconnect()
    })
    const caller = { worker: 'worker-1', knownVersion: 0 }
    const settings = resolveSettings({})
    const { snapshot } = await store.register('openai', { ...caller, settings, mode: 'set', restore: null })
    let sequence = 0
    const known = { generation: snapshot?.generation ?? 0, version: snapshot?.version ?? 0 }
    const record = async (viewed: boolean, knownVersion = known.version) => {
      sequence += 1
      const reply = await store.record('openai', {
        ...{ worker: 'worker-1', knownVersion, incarnation: 'life', sequence, resent: false, jitterDraw: 0 },
        ...{ flushIntervalMs: 100, maxBatchesPerSecond: 100, notAfterMs: 9e12, lostMsAgo: null, viewed },
        runs: [
          {
            ...{ origin: 'call', outcome: 'healthy', count: 1, generation: known.generation, token: '' },
            ...{ retryAfterMs: 0, settingsRevision: 0, markVersion: 0, detail: '', ageMs: 0 },
          },
        ],
      })
      if (reply.status === 'ok' && reply.snapshot !== null) known.version = reply.snapshot.version
    }
    const key = 'cost:{openai}:workers'
    for (let i = 0; i < 3; i += 1) await record(false)
    const before = await commandsOf(redis, () => record(false))
    expect(await redis.exists(key)).toBe(0)

    await store.view('openai', caller)
    await record(true, 0) // the first of a worker
    const ttl = await redis.pttl(key)
    expect(ttl).toBeGreaterThan(0)
    expect(ttl).toBeLessThanOrEqual(30_000)
    const during = await commandsOf(redis, () => record(true))
    const more = Object.fromEntries(
      Object.entries(during).flatMap(([command, calls]) => {
        const added = calls - (before[command] ?? 0)
        return added === 0 ? [] : [[command, added]]
      }),
    )
    expect(more).toEqual({ hget: 1, hset: 1 })

    // Nobody looks any more: as after 30 s.
    await redis.hset('cost:{openai}:circuit', 'viewed_until_ms', 1)
    await record(true)
    expect(await redis.hexists('cost:{openai}:circuit', 'viewed_until_ms')).toBe(0)
    const after = await commandsOf(redis, () => record(false))
    expect(after).toEqual(before)
  })
})

describe('GET api/matrix', () => {
  it('counts while it is asked for, in other processes too, and says what stands out', async () => {
    const { get, join, openai, mistral, namespace, redis } = await httpFleet()
    const workers = await Promise.all(['worker-2', 'worker-3'].map((workerId) => join({ workerId })))
    await openai.recordSuccess()
    await openai.flush()
    expect(await redis.exists(`${namespace}:{openai}:workers`)).toBe(0)
    const first = answerOf((await get('/api/matrix')).body)
    expect(first).toMatchObject({ workers: [], cells: [], omitted: { providers: 0, workers: 0, cells: 0 } })
    expect(first.sentences).toHaveLength(1)
    const handles = await Promise.all(
      workers.flatMap((busbar) => ['openai', 'mistral'].map((id) => busbar.provider(id))),
    )
    const [bad, good] = [handles.slice(0, 2), handles.slice(2)]
    for (const handle of [openai, mistral, ...good])
      for (let i = 0; i < 4; i += 1) await handle.recordSuccess()
    for (const handle of bad) await handle.recordFailure()
    await Promise.all([openai, mistral, ...handles].map((handle) => handle.flush()))
    const seen = await matrixOnce(get, ({ cells }) => cells.length === 6)
    expect(seen.sentences).toEqual(['worker-2 fails at 2 of 2 providers: a bad worker.'])
    expect(seen.workers.map(({ id, calls, verdict }) => [id, calls, verdict])).toEqual([
      ['worker-2', 2, 'bad'],
      ['worker-1', 8, 'ok'],
      ['worker-3', 8, 'ok'],
    ])
  })

  it('looks at nothing that its viewer may not see', async () => {
    const { get, openai, mistral, namespace, redis } = await httpFleet({ visible: (id) => id !== 'mistral' })
    await get('/api/matrix')
    for (const handle of [openai, mistral]) {
      await handle.recordSuccess()
      await handle.flush()
    }
    const seen = await matrixOnce(get, ({ cells }) => cells.length > 0)
    expect(seen.providers.map(({ id }) => id)).toEqual(['openai'])
    expect(JSON.stringify(seen)).not.toContain('mistral')
    const leases = ['openai', 'mistral'].map((id) =>
      redis.hexists(`${namespace}:{${id}}:circuit`, 'viewed_until_ms'),
    )
    expect(await Promise.all(leases)).toEqual([1, 0])
  })

  it('reads a provider once in a while, however many ask, and no more than 1 000 of them', async () => {
    const busbar = createTestBusbar()
    const ids = Array.from({ length: MAX_PROVIDERS + 2 }, (_, i) => `p${i}`)
    await Promise.all(ids.map((id) => busbar.provider(id)))
    const handler = createHandler(busbar, { authorize: 'anyone' })
    const ask = async () => {
      const answer = await handler(new Request('http://localhost/api/matrix'))
      return answerOf(await answer.json())
    }
    const [one, two] = await Promise.all([ask(), ask()])
    expect(one.providers).toHaveLength(MAX_PROVIDERS)
    expect(one.omitted.providers).toBe(2)
    expect([two.readAt, two.providers]).toEqual([one.readAt, one.providers])
    expect(one.nextInMs).toBeGreaterThan(0)
    await busbar.close()
  })
})
