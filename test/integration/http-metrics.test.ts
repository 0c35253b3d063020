import { Counter, type Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { coreOf } from '../../src/client/busbar.js'
import { createHandler } from '../../src/http/index.js'
import { register } from '../../src/metrics/prometheus.js'
import { createTestBusbar } from '../../src/testing.js'
import { deferred } from '../harness/deferred.js'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet, raw } from '../harness/http-fleet.js'
import { seriesIn } from '../harness/metric-names.js'

const METRICS = { path: '/metrics' }
const meters = (busbar: Parameters<typeof coreOf>[0]) => coreOf(busbar).context.observers.meters

describe('GET /metrics', () => {
  it('has what this process follows, to whoever may read, and counts from the first time that it is asked', async () => {
    const { port, busbar, openai, handler, join } = await httpFleet({
      authorize: (request) => (request.headers.has('x-eve') ? null : { actor: 'prometheus', can: 'read' }),
    })
    await (await join()).provider('elsewhere')
    expect((await raw(port, { ...METRICS, headers: { 'x-eve': '1' } })).status).toBe(401)
    expect((await raw(port, { ...METRICS, method: 'POST' })).status).toBe(405)
    expect(meters(busbar)).toBeUndefined()
    const first = await raw(port, METRICS)
    expect([first.status, first.headers['content-type']]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    expect(Object.keys(seriesIn(first.text, 'busbar_transitions_total'))).toContain(
      '{provider="openai",kind="opened"}',
    )
    expect(first.text).not.toContain('elsewhere')
    await openai.execute(() => 1)
    await eventually(async () => {
      const { text } = await raw(port, METRICS)
      return seriesIn(text, 'busbar_calls_total')['{provider="openai",outcome="healthy"}'] === 1
    }, 'the call is counted')
    expect(await raw(port, { ...METRICS, method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    handler.close()
    expect(meters(busbar)).toBeUndefined()
    expect(await raw(port, METRICS)).toMatchObject({ status: 503 })
  })

  it('with fleet: true has all providers but those that cannot be read', async () => {
    const { redis, namespace, join } = await httpFleet()
    const busbar = await join()
    const { port } = await httpFleet.over(busbar, { metrics: { fleet: true, maxProviders: 2 } })
    await redis.set(`${namespace}:{openai}:circuit`, 'not a hash', 'KEEPTTL')
    const { text } = await raw(port, METRICS)
    expect(seriesIn(text, 'busbar_window_calls')).toEqual({ '{provider="mistral"}': 0 })
  })

  it('is the text of a registry of the program, made once for all who ask at the same time', async () => {
    const busbar = createTestBusbar()
    await busbar.provider('openai')
    const { registry } = register(busbar, { labels: { fleet: 'eu' } })
    new Counter({ name: 'jobs_total', help: 'Of the program.', registers: [registry] }).inc(3)
    let made = 0
    const gate = deferred<undefined>()
    const slow = Object.assign(Object.create(registry) as Registry, {
      metrics: async () => {
        made += 1
        await gate.promise
        return registry.metrics()
      },
    })
    let waiting = 0
    const authorize = () => ((waiting += 1), { actor: 'prometheus', can: 'read' as const })
    const { port } = await httpFleet.over(busbar, { metrics: slow, authorize })
    const asked = Array.from({ length: 50 }, () => raw(port, METRICS))
    await eventually(() => waiting === 50, 'all have asked')
    gate.resolve(undefined)
    const texts = new Set((await Promise.all(asked)).map(({ text }) => text))
    expect([made, texts.size]).toEqual([1, 1])
    expect([...texts][0]).toMatch(/^jobs_total 3$/m)
    expect([...texts][0]).toContain('fleet="eu"')
    await busbar.close()
  })

  it('is refused where providers are hidden, and is not there where it is off', async () => {
    const hiding = await httpFleet({ visible: () => true })
    const refused = await raw(hiding.port, METRICS)
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('forbidden')])
    expect(meters(hiding.busbar)).toBeUndefined()
    const off = await httpFleet.over(hiding.busbar, { metrics: false })
    expect((await raw(off.port, METRICS)).status).toBe(404)
    const make = (options: object) => () =>
      createHandler(hiding.busbar, { authorize: 'anyone', ...options } as never)
    expect(make({ metrics: {}, visible: () => true })).toThrow(/metrics and visible/)
    expect(make({ metrics: false, visible: () => true })).not.toThrow()
    for (const metrics of [true, 'yes', { fleet: 1 }, { maxProviders: 0 }, { labels: {} }, { metrics: 1 }])
      expect(make({ metrics })).toThrow(/createHandler\.metrics/)
  })
})
