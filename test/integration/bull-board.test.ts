import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/dist/queueAdapters/bullMQ.js'
import { Queue } from 'bullmq'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'
import { probeOf, realFleet } from '../harness/real-fleet.js'

interface Shown {
  readonly name: string
  readonly isPaused: boolean
  readonly jobs: readonly { readonly name: string; readonly data: string; readonly returnValue: string }[]
}
interface Scheduled {
  readonly id: string
}

interface Route {
  readonly route: string | readonly string[]
  handler(request: object): Promise<{ readonly body: unknown }> | { readonly body: unknown }
}

/** What a board answers its page in the browser, without a server. */
function boardOver(queues: readonly Queue[]) {
  let routes: readonly Route[] = []
  let shown: unknown
  const keep = (what: unknown) => {
    shown = what
    return serverAdapter
  }
  const ignore = () => serverAdapter
  const serverAdapter: Record<string, (given: never) => unknown> = {
    ...{ setViewsPath: ignore, setStaticPath: ignore, setUIConfig: ignore },
    ...{ setEntryRoute: ignore, setErrorHandler: ignore, setQueues: keep },
    setApiRoutes: (given: readonly Route[]) => {
      routes = given
      return serverAdapter
    },
  }
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter: serverAdapter as never, // the methods above are all that it calls
  })
  return async (path: string, query: object): Promise<unknown> => {
    const found = routes.find(({ route }) => [route].flat().includes(path))
    if (found === undefined) throw new Error(`the board has no ${path}`)
    const request = { queues: shown, query, params: {}, body: {}, headers: {} }
    return (await found.handler(request)).body
  }
}

it('a board shows the probes as jobs: which provider and why, what was found, and what is repeated', async () => {
  const fleet = realFleet()
  const [good, bad] = [await startUpstream(), await startUpstream()]
  bad.behave({ status: 503 })
  const busbar = await fleet.join()
  await busbar.startProbes({ functions: { model: () => ({ status: 'degraded', detail: 'warming up' }) } })
  await busbar.provider('good', probeOf(good, 100))
  await busbar.provider('bad', probeOf(bad, 100))
  await busbar.provider('model', { probe: { kind: 'function', name: 'model', intervalMs: 100 } })

  const { hostname: host, port } = new URL(fleet.url)
  const queues = ['probes', 'probes-function-model'].map((name) => {
    const queue = new Queue(name, {
      prefix: `{${fleet.namespace}}`,
      connection: { host, port: Number(port) },
    })
    onTestFinished(() => queue.close())
    return queue
  })
  const ask = boardOver(queues)
  const completed = async (activeQueue: string) => {
    const query = { activeQueue, status: 'completed', page: '1', jobsPerPage: '100' }
    const { queues: all } = (await ask('/api/queues', query)) as { queues: readonly Shown[] }
    return all.find(({ name }) => name === activeQueue)?.jobs ?? []
  }
  const results = async (queue: string) =>
    (await completed(queue)).flatMap(({ returnValue }) => returnValue as unknown as readonly object[])

  await eventually(async () => {
    expect(await results('probes')).toEqual(
      expect.arrayContaining([
        { id: 'good', status: 'healthy', detail: 'HTTP 200', elapsedMs: expect.any(Number) as unknown },
        { id: 'bad', status: 'unhealthy', detail: 'HTTP 503', elapsedMs: expect.any(Number) as unknown },
      ]),
    )
    expect(await results('probes-function-model')).toContainEqual({
      ...{ id: 'model', status: 'degraded', detail: 'warming up' },
      elapsedMs: expect.any(Number) as unknown,
    })
  }, 'the results are shown')
  const jobs = await completed('probes')
  const ofGood = jobs.find(({ name }) => name === 'scheduled good')
  expect(ofGood?.data).toMatchObject({ do: 'probe', why: 'scheduled', providers: [['good', 100]] })
  const { schedulers } = (await ask('/api/job-schedulers', {})) as { schedulers: readonly Scheduled[] }
  expect(schedulers.map(({ id }) => id).sort()).toEqual(['plan', 'reconcile'])
})
