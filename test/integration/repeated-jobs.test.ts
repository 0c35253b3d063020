import { Queue } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ArgumentError } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'
import { probeOf, realFleet } from '../harness/real-fleet.js'

const WITHIN = { timeoutMs: 15_000 }

async function probedFleet() {
  const fleet = realFleet()
  const upstream = await startUpstream()
  const busbars = [await fleet.join(), await fleet.join()]
  for (const busbar of busbars) await busbar.startProbes()
  await busbars[0]?.provider('a', probeOf(upstream, 100))
  await eventually(() => upstream.requests.length > 2, 'it is probed')
  const { hostname: host, port } = new URL(fleet.url)
  const queue = new Queue('probes', {
    prefix: `{${fleet.namespace}}`,
    connection: { host, port: Number(port) },
  })
  onTestFinished(() => queue.close())
  const keys = () => fleet.redis.keys(`{${fleet.namespace}}:probes:*`)
  return { ...fleet, upstream, queue, keys }
}

/** Which jobs are planned to be repeated, by the jobs that wait for their time. */
const planned = async (queue: Queue) =>
  (await queue.getJobs(['delayed', 'waiting', 'active']))
    .flatMap(({ repeatJobKey }) => repeatJobKey ?? [])
    .sort()

describe('the jobs that the probe queue repeats are back within 15 s', () => {
  it.each<[string, (fleet: Awaited<ReturnType<typeof probedFleet>>) => Promise<unknown>]>([
    [
      'its set of delayed jobs was cleared',
      ({ redis, namespace }) => redis.del(`{${namespace}}:probes:delayed`),
    ],
    ['all its keys were deleted', async ({ redis, keys }) => redis.del(...(await keys()))],
    ['a scheduler was removed', ({ queue }) => queue.removeJobScheduler('reconcile')],
    [
      'everything in Redis is gone',
      async ({ redis, namespace }) => {
        const all = [...(await redis.keys(`${namespace}:*`)), ...(await redis.keys(`{${namespace}}:*`))]
        await redis.del(...all)
      },
    ],
  ])('after %s', async (_, damage) => {
    const fleet = await probedFleet()
    await eventually(async () => (await planned(fleet.queue)).length === 2, 'both are planned')
    await damage(fleet)
    await eventually(async () => expect(await planned(fleet.queue)).toEqual(['plan', 'reconcile']), {
      ...WITHIN,
      what: 'both are planned again',
    })
    if ((await fleet.redis.exists(`${fleet.namespace}:{a}:config`)) === 0) return // whoever uses it registers it again
    const { length } = fleet.upstream.requests
    await eventually(() => fleet.upstream.requests.length >= length + 5, { ...WITHIN, what: 'it is probed' })
  })
})

describe('queues of names', () => {
  it('that are paused, full or without a worker are told apart, and hold up no other provider', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const busbar = await fleet.join({ probeQueues: 2 })
    let calls = 0
    await busbar.startProbes({ functions: { model: () => (calls += 1) > 0 } })
    const every = { intervalMs: 100 } as const
    await busbar.provider('model', { probe: { kind: 'function', name: 'model', ...every } })
    await busbar.provider('nobody', { probe: { kind: 'process', name: 'nobody', ...every } })
    await busbar.provider('a', probeOf(upstream, 100))
    await eventually(() => calls > 2 && busbar.counters.probeTurnsLost > 2, 'both had turns')
    const { hostname: host, port } = new URL(fleet.url)
    const connection = { host, port: Number(port) }
    const queue = new Queue('probes-function-model', { prefix: `{${fleet.namespace}}`, connection })
    onTestFinished(() => queue.close())
    await queue.pause()
    const name = `{${fleet.namespace}}:probes-function-model`
    expect(await busbar.pausedProbeQueues()).toEqual([name])
    const { planned: plans, queues } = await busbar.schedules()
    expect(plans.find(({ id }) => id === 'model')).toMatchObject({ queue: name, needs: 'function/model' })
    expect(queues.filter(({ needs }) => needs !== '')).toMatchObject([
      { queue: name, needs: 'function/model', paused: true, hasWorker: true },
      { needs: 'process/nobody', waiting: 0, paused: false, hasWorker: false },
    ])
    const [before, probed] = [busbar.counters.probeTurnsLost, upstream.requests.length]
    await eventually(() => upstream.requests.length >= probed + 10, 'the other is probed')
    expect(busbar.counters.probeTurnsLost).toBeGreaterThan(before + 5)
    expect((await queue.getJobs(['waiting'])).length).toBeLessThanOrEqual(2) // made before the pause
    const paused = calls
    await queue.resume()
    await eventually(() => calls > paused + 3, 'it is probed again')
  })

  it('are 32 a process at most: the first name beyond is refused', async () => {
    const busbar = await realFleet().join()
    const functions = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`f${i}`, () => true]))
    const refused = busbar.startProbes({ functions, processes: { worker: { pid: 1 } } })
    await expect(refused).rejects.toThrow(ArgumentError)
    await expect(refused).rejects.toMatchObject({ path: 'functions.f31' })
  })
})
