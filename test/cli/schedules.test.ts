import { Queue } from 'bullmq'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cliFleet, expectOneLine, type CliFleet } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'

const HOUR = 3_600_000

/** A probe queue as BullMQ's own users see it. */
function queueOf({ url, namespace }: CliFleet, name: string): Queue {
  const { hostname: host, port } = new URL(url)
  const queue = new Queue(name, { prefix: `{${namespace}}`, connection: { host, port: Number(port) } })
  onTestFinished(() => queue.close())
  return queue
}

/** `api` by the queue of all, `model` by that of its name; each was probed once. */
async function probedFleet() {
  const fleet = await cliFleet()
  const { busbar } = fleet
  const upstream = await startUpstream()
  const worker = await busbar.startProbes({
    functions: { model: () => ({ status: 'degraded', detail: 'cold' }) },
  })
  onTestFinished(() => worker.close())
  const api = await busbar.provider('api', { probe: { kind: 'http', url: upstream.url, intervalMs: HOUR } })
  const model = await busbar.provider('model', {
    probe: { kind: 'function', name: 'model', intervalMs: HOUR },
  })
  await busbar.provider('plain', {})
  await eventually(async () => {
    for (const { snapshot } of [{ snapshot: await api.snapshot() }, { snapshot: await model.snapshot() }])
      expect(snapshot.lastProbeAt).not.toBeNull()
  }, 'both are probed')
  const shared = `{${fleet.namespace}}:probes`
  return { fleet, upstream, worker, shared, named: `${shared}-function-model` }
}

const words = (line = '') => line.trim().split(/ {2,}/)

describe('busbar schedules', () => {
  it('lists what is to be probed, when, why and by which queue, with the last result; then the queues', async () => {
    const { fleet, shared, named } = await probedFleet()
    const { code, stdout } = await fleet.run(['schedules'])
    const [head, ...lines] = stdout.trimEnd().split('\n')
    expect(words(head)).toEqual(['PROVIDER', 'EVERY', 'NEXT', 'WHY', 'QUEUE', 'LAST PROBE'])
    const due = expect.stringMatching(/^in (1h|\d+m( \d+s)?)/) as unknown
    const rows = lines.slice(0, 2).map(words).sort()
    expect(rows).toEqual([
      ['api', '1h', due, 'scheduled', shared, expect.stringMatching(/healthy/)],
      ['model', '1h', due, 'scheduled', named, expect.stringMatching(/degraded/)],
    ])
    expect(lines.slice(2).map(words)).toEqual([
      [''],
      ['QUEUE', 'WAITING', 'UNDER WAY', 'STATE'],
      [shared, expect.stringMatching(/^\d$/), expect.stringMatching(/^\d$/), 'open'],
      [named, '0', '0', 'open'],
    ])
    expect(code).toBe(0)

    const one = await fleet.run(['schedules', 'mod*'])
    expect(one.stdout).toMatch(/^model /m)
    expect(one.stdout).not.toMatch(/^api /m)
  })

  it('gives a program the same: --json', async () => {
    const { fleet, shared, named } = await probedFleet()
    const { code, value } = await fleet.json(['schedules', 'api'])
    const number = expect.any(Number) as unknown
    expect(value['providers']).toEqual([
      {
        ...{ id: 'api', intervalMs: HOUR, planned: true, nextInMs: number, lateMs: 0, why: 'scheduled' },
        ...{ queue: shared, held: null, overdue: false },
        last: { status: 'healthy', detail: 'HTTP 200', agoMs: number },
      },
    ])
    expect(value['queues']).toEqual([
      { queue: shared, needs: '', waiting: number, active: number, paused: false, hasWorker: true },
      { queue: named, needs: 'function/model', waiting: 0, active: 0, paused: false, hasWorker: true },
    ])
    expect(code).toBe(0)
  })

  it('says which queue is paused, whom that holds up, and what ends it', async () => {
    const { fleet, shared, named } = await probedFleet()
    const queue = queueOf(fleet, 'probes-function-model')
    await queue.pause()
    const { code, stdout } = await fleet.run(['schedules'])
    expect(stdout).toMatch(/^model +1h +in .+, queue paused +scheduled /m)
    expect(stdout).toMatch(/^api +1h +in [^,]+ +scheduled /m)
    expect(stdout).toContain(` paused: none of its probes runs\n`)
    expect(stdout).toContain(
      `\n  await new Queue('probes-function-model', { prefix: '{${fleet.namespace}}', connection }).resume()\n`,
    )
    expect(code).toBe(1)
    const { value } = await fleet.json(['schedules'])
    expect(value['providers']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 'api', queue: shared, held: null }),
        expect.objectContaining({ id: 'model', queue: named, held: 'paused' }),
      ]),
    )
    await queue.resume()
    expect(await fleet.run(['schedules'])).toMatchObject({ code: 0 })
  })

  it('says what is overdue, and that nobody runs probes', async () => {
    const fleet = await cliFleet()
    const probe = { kind: 'tcp', host: '127.0.0.1', port: 1, intervalMs: 10 } as const
    const api = await fleet.busbar.provider('api', { probe: { ...probe, timeoutMs: 10 } })
    await eventually(async () => (await api.snapshot()).stale, 'it is stale')
    const { code, stdout } = await fleet.run(['schedules'])
    expect(stdout).toMatch(/^api +10ms +not planned: does any process run startProbes\(\)\? /m)
    expect(stdout).toMatch(/^\S+:probes +0 +0 +no process runs probes$/m)
    expect(code).toBe(1)
    expect((await fleet.json(['schedules'])).value['providers']).toMatchObject([
      { id: 'api', planned: false, nextInMs: null, queue: null, overdue: true, last: null },
    ])
  })

  it('tells an empty fleet, an id that nobody registered and a provider without a probe apart', async () => {
    const fleet = await cliFleet()
    const empty = await fleet.run(['schedules'])
    expectOneLine(
      empty,
      `busbar: no provider is registered in namespace ${fleet.namespace}; check --namespace`,
    )
    await fleet.busbar.provider('plain', {})
    const plain = await fleet.run(['schedules'])
    expect(plain.stdout).toMatch(/^no provider is to be probed\n\nQUEUE /)
    const unknown = await fleet.run(['schedules', 'apj'])
    expectOneLine(unknown, `busbar: no provider in namespace ${fleet.namespace} matches apj`)
    const { code, value } = await fleet.json(['schedules', 'apj'])
    expect(value).toMatchObject({ providers: [] })
    expect([empty.code, plain.code, unknown.code, code]).toEqual([3, 0, 3, 3])
  })
})
