import { Queue, type Job } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { namesPrefix } from '../../src/redis/keys.js'
import { deferred } from '../harness/deferred.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'
import { HOUR, probeOf, realFleet } from '../harness/real-fleet.js'
import { forkWorker } from '../harness/workers/fork.mjs'

type RealFleet = ReturnType<typeof realFleet>

/** A probe queue as BullMQ's own users see it. */
function queueOf(fleet: RealFleet, name = 'probes'): Queue {
  const { hostname: host, port } = new URL(fleet.url)
  const connection = { host, port: Number(port) }
  const queue = new Queue(name, { prefix: namesPrefix(fleet.namespace), connection })
  onTestFinished(() => queue.close())
  return queue
}

const byHandOf = (jobs: readonly Job[]) => jobs.filter(({ name }) => name.startsWith('by_hand '))
const byHandIn = async (queue: Queue) => byHandOf(await queue.getJobs())

/** One worker, one process that only asks, and a provider whose next turn is far off. */
async function probedFleet(more: object = {}, url?: string) {
  const fleet = realFleet(url)
  const upstream = await startUpstream()
  const [worker, caller] = [await fleet.join({ workerId: 'w1' }), await fleet.join({ workerId: 'caller' })]
  const probes = await worker.startProbes()
  const provider = await caller.provider('a', probeOf(upstream, HOUR, more))
  await eventually(async () => (await provider.snapshot()).lastProbeAt !== null, 'its first turn is over')
  return { fleet, upstream, worker, caller, provider, probes, queue: queueOf(fleet) }
}

describe('a probe by hand, beside a fleet that runs probes', () => {
  it('is made by a worker of the fleet, once, as a job that says so, and counts like any other', async () => {
    const { upstream, caller, provider, queue } = await probedFleet()
    upstream.behave({ status: 503 })
    expect(await caller.probe('a')).toEqual({
      ...{ id: 'a', probed: true, status: 'unhealthy', detail: 'HTTP 503', trial: false, worker: 'w1' },
      elapsedMs: expect.any(Number) as unknown,
    })
    expect(upstream.requests).toHaveLength(2)
    expect(upstream.requests[1]?.userAgent).toMatch(/\(w1\)$/)
    expect(await provider.snapshot()).toMatchObject({
      ...{ historyTotal: 2, lastProbeStatus: 'unhealthy', probeConsecutiveFailures: 1 },
    })
    const [job] = await byHandIn(queue)
    expect(job).toMatchObject({ name: 'by_hand a', processedBy: 'w1', opts: { lifo: true } })
    expect(job?.data).toMatchObject({ do: 'probe', why: 'by_hand', providers: [['a', HOUR]] })
    expect(job?.returnvalue).toMatchObject([{ id: 'a', status: 'unhealthy', detail: 'HTTP 503' }])
  })

  it('holds the trial of a half-open circuit, and closes it', async () => {
    const { caller, provider } = await probedFleet()
    await provider.trip({ forMs: 1 })
    await caller.probe('a')
    // Either this one or the recovery probe was the trial.
    await eventually(async () => (await provider.state()) === 'closed', 'it closes')
  })

  it('is refused as an admission says: a mark, a pause, no probe', async () => {
    const { upstream, caller, provider } = await probedFleet()
    await provider.markUnhealthy({ reason: 'maintenance' })
    const marked = { probed: false, code: 'marked_unhealthy', retryAfterMs: null }
    expect(await caller.probe('a')).toMatchObject(marked)
    await provider.resume()
    await provider.record('throttled', { retryAfterMs: 60_000 })
    const pausing = await caller.probe('a')
    expect(pausing).toMatchObject({ probed: false, code: 'throttled' })
    expect(pausing).toHaveProperty('retryAfterMs', expect.closeTo(60_000, -4))
    await caller.provider('plain', {})
    expect(await caller.probe('plain')).toMatchObject({ probed: false, code: 'no_probe' })
    expect(upstream.requests.length).toBeLessThanOrEqual(2) // its own turn, and one at the end of the mark
  })

  it('goes to a worker that registered its code, by the queue of the name', async () => {
    const { fleet, worker, caller } = await probedFleet()
    const holder = await fleet.join({ workerId: 'w2' })
    let calls = 0
    await holder.startProbes({ functions: { model: () => (calls += 1) > 0 } })
    const probe = { kind: 'function', name: 'model', intervalMs: HOUR } as const
    const provider = await caller.provider('model', { probe })
    await eventually(async () => (await provider.snapshot()).lastProbeAt !== null, 'its first turn is over')
    const made = { probed: true, status: 'healthy', worker: 'w2' }
    expect(await caller.probe('model')).toMatchObject(made)
    expect(await worker.probe('model')).toMatchObject(made)
    expect(await holder.probe('model')).toMatchObject(made)
    expect(calls).toBe(4)
    expect(await byHandIn(queueOf(fleet, 'probes-function-model'))).toHaveLength(3)
  })

  it('says why a worker could not make it', async () => {
    const { caller } = await probedFleet()
    const headers = { authorization: 'Bearer ${env:BUSBAR_TEST_NOT_SET}' }
    const probe = { kind: 'http', url: 'http://127.0.0.1:1/', headers, intervalMs: HOUR } as const
    await caller.provider('secret', { probe })
    expect(await caller.probe('secret')).toMatchObject({
      ...{ probed: false, code: 'not_here' },
      reason: expect.stringContaining('BUSBAR_TEST_NOT_SET is not set in the process that probes') as unknown,
    })
  })

  it('shares one connection with others of its process, which ends with the last', async () => {
    // A server of its own: others' tests connect to the shared one meanwhile.
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { fleet, upstream, caller, queue } = await probedFleet({}, server.url)
    const connections = async () => {
      const list = String(await fleet.redis.client('LIST'))
      return list.split('\n').filter((line) => line.includes(' db=')).length
    }
    await queue.waitUntilReady()
    const before = await connections()
    upstream.behave({ delayMs: 300 })
    const asked = Promise.all(Array.from({ length: 5 }, () => caller.probe('a')))
    await eventually(() => upstream.requests.length === 2, 'one is under way')
    expect(await connections()).toBe(before + 1)
    const reports = await asked
    // The store lets one begin at a time.
    const refused = reports.filter(({ probed }) => !probed)
    expect(refused.length).toBeLessThan(5)
    for (const report of refused) expect(report).toMatchObject({ code: 'probed_recently' })
    await eventually(async () => (await connections()) === before, 'none is left')
  })
})

describe('a probe by hand that no worker takes', () => {
  it('is made by the process that asks, where no process runs probes', async () => {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const caller = await fleet.join({ workerId: 'caller' })
    await caller.provider('a', probeOf(upstream, HOUR))
    expect(await caller.probe('a')).toMatchObject({ probed: true, status: 'healthy', worker: 'caller' })
    expect(upstream.requests).toHaveLength(1)
    expect(await byHandIn(queueOf(fleet))).toEqual([])
  })

  it('is not made where nobody has its code', async () => {
    const { fleet, caller } = await probedFleet()
    await caller.provider('model', { probe: { kind: 'function', name: 'model', intervalMs: HOUR } })
    expect(await caller.probe('model')).toMatchObject({
      ...{ probed: false, code: 'no_worker', reason: 'no worker has registered function/model' },
    })
    expect(await byHandIn(queueOf(fleet, 'probes-function-model'))).toEqual([])
  })

  it('is not made while its queue is paused, not even by the process that asks', async () => {
    const { fleet, caller, worker, upstream, queue } = await probedFleet()
    await queue.pause()
    const reason = `its probe queue {${fleet.namespace}}:probes is paused (queue.pause() of BullMQ); queue.resume() ends it`
    const paused = { probed: false, code: 'queue_paused', reason }
    expect(await caller.probe('a')).toMatchObject(paused)
    expect(await worker.probe('a')).toMatchObject(paused)
    expect(await byHandIn(queue)).toEqual([])
    expect(upstream.requests).toHaveLength(1)
    await queue.resume()
    await eventually(async () => (await caller.probe('a')).probed, 'it is probed again')
  })

  /** A worker all of whose slots are taken until `release`. */
  async function busyFleet() {
    const fleet = realFleet()
    const upstream = await startUpstream()
    const [worker, caller] = [await fleet.join({ workerId: 'w1' }), await fleet.join({ workerId: 'caller' })]
    const held = deferred<boolean>()
    let calls = 0
    const hold = () => (calls += 1) > 0 && held.promise
    const provider = await caller.provider('a', probeOf(upstream, HOUR, { timeoutMs: 1_000 }))
    const probes = await worker.startProbes({ concurrency: 1, functions: { hold } })
    await eventually(async () => (await provider.snapshot()).lastProbeAt !== null, 'its first turn is over')
    const probe = { kind: 'function', name: 'hold', intervalMs: HOUR, timeoutMs: 60_000 } as const
    await caller.provider('hold', { probe })
    await eventually(() => calls === 1, 'the slot is taken')
    const queue = queueOf(fleet)
    return { fleet, upstream, caller, worker, queue, probes, release: () => held.resolve(true) }
  }

  it('within its time is taken back: no worker makes it later', async () => {
    const { upstream, caller, queue, release } = await busyFleet()
    const report = await caller.probe('a', { timeoutMs: 300 })
    expect(report).toMatchObject({
      probed: false,
      code: 'no_worker',
      reason: 'no worker took it within 300 ms',
    })
    expect(await byHandIn(queue)).toEqual([])
    release()
    expect(await caller.probe('a')).toMatchObject({ probed: true, worker: 'w1' })
    expect(upstream.requests).toHaveLength(2)
  })

  it('is taken back when its queue is paused meanwhile', async () => {
    const { upstream, caller, queue, release } = await busyFleet()
    const asked = caller.probe('a', { timeoutMs: 60_000 })
    await eventually(async () => (await byHandIn(queue)).length === 1, 'it waits')
    await queue.pause()
    expect(await asked).toMatchObject({ probed: false, code: 'queue_paused' })
    expect(await byHandIn(queue)).toEqual([])
    release()
    expect(upstream.requests).toHaveLength(1)
  })

  it('because the last one ended is taken back, and made by the process that asks', async () => {
    const { upstream, caller, queue, probes, release } = await busyFleet()
    const asked = caller.probe('a', { timeoutMs: 60_000 })
    await eventually(async () => (await byHandIn(queue)).length === 1, 'it waits')
    const closing = probes.close()
    release()
    await closing
    expect(await asked).toMatchObject({ probed: true, worker: 'caller' })
    expect(upstream.requests).toHaveLength(2)
    expect(await byHandIn(queue)).toEqual([])
  })
})

it('a job by hand that is taken when nobody waits for it any more makes no probe', async () => {
  const { upstream, queue, provider } = await probedFleet()
  const { at } = await provider.snapshot()
  const data = { do: 'probe', why: 'by_hand', at: at - 10_000, notAfterMs: at - 1, providers: [['a', HOUR]] }
  const job = await queue.add('by_hand a', data, { jobId: 'by_hand~a~old' })
  await eventually(async () => (await job.getState()) === 'completed', 'it ends')
  const [old] = await byHandIn(queue)
  expect(old?.returnvalue).toEqual([{ id: 'a', skipped: 'nobody waits for it any more', code: 'no_result' }])
  expect(upstream.requests).toHaveLength(1)
})

it('a job by hand whose worker was killed in mid-probe is taken up by another, which asks first', async () => {
  const fleet = realFleet()
  const seen: string[] = []
  const upstream = await startUpstream((request, response) => {
    seen.push(request.headers['user-agent'] ?? '')
    if (seen.length !== 2) response.end('ok') // the second is not answered
  })
  const caller = await fleet.join({ workerId: 'caller' })
  const settings = probeOf(upstream, HOUR, { timeoutMs: 60_000 })
  const given = { namespace: fleet.namespace, redis: fleet.url, id: 'a', settings, source: {} }
  const victim = await forkWorker('prober', { ...given, workerId: 'victim' })
  onTestFinished(() => victim.kill())
  await eventually(async () => {
    const provider = await caller.lookup('a')
    return provider !== undefined && (await provider.snapshot()).lastProbeAt !== null
  }, 'its first turn is over')
  const asked = caller.probe('a', { timeoutMs: 30_000 })
  await eventually(() => seen.length === 2, 'it is under way')
  await victim.kill()
  const heir = await fleet.join({ workerId: 'heir' })
  await heir.startProbes()
  expect(await asked).toMatchObject({
    ...{ probed: false, code: 'probed_recently', reason: 'another probe is under way' },
  })
  expect(seen.map((agent) => /\((.*)\)/.exec(agent)?.[1])).toEqual(['victim', 'victim'])
  const [job] = await byHandIn(queueOf(fleet))
  expect(job).toMatchObject({ processedBy: 'heir', stalledCounter: 1 })
})
