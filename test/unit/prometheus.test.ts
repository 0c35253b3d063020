import { Registry } from 'prom-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { register, type RegisterOptions } from '../../src/metrics/prometheus.js'
import { createTestBusbar } from '../../src/testing.js'

const QUICK = { breaker: { failureThreshold: 1, cooldownMs: 1_000 } }

function metered(options: RegisterOptions = {}) {
  const busbar = createTestBusbar()
  const { registry, unregister } = register(busbar, options)
  onTestFinished(() => busbar.close())
  /** The value of a series, as it stands in the text; undefined where there is none. */
  const read = async (series: string) => {
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length))
  }
  return { busbar, registry, unregister, read }
}

const fail = () => Promise.reject(new Error('down'))

describe('busbar/prometheus', () => {
  it('has the state of a circuit as 0 or 1 for every state, and its totals', async () => {
    const { busbar, read } = metered()
    const provider = await busbar.provider('openai', QUICK)
    await expect(provider.execute(fail)).rejects.toThrow('down')
    const state = (name: string) => read(`busbar_circuit_state{provider="openai",state="${name}"}`)
    expect([await state('closed'), await state('open'), await state('half_open')]).toEqual([0, 1, 0])
    expect(await read('busbar_retry_at_timestamp_seconds{provider="openai"}')).toBe(1_700_000_001)
    busbar.clock.advance(400)
    expect(await read('busbar_open_seconds_total{provider="openai"}')).toBe(0.4)
    busbar.clock.advance(600)
    expect([await state('closed'), await state('open'), await state('half_open')]).toEqual([0, 0, 1])
    await provider.execute(() => 1)
    expect(await state('closed')).toBe(1)
    expect(await read('busbar_retry_at_timestamp_seconds{provider="openai"}')).toBeUndefined()
    for (const kind of ['opened', 'half_opened', 'closed'])
      expect(await read(`busbar_transitions_total{provider="openai",kind="${kind}"}`)).toBe(1)
    expect(await read('busbar_transitions_total{provider="openai",kind="reset"}')).toBe(0)
  })

  it('counts calls, refusals and decisions of this process, whatever way they took', async () => {
    const { busbar, read } = metered()
    const provider = await busbar.provider('openai', QUICK)
    for (let i = 0; i < 100; i += 1) await provider.execute(() => 1)
    await provider.execute(() => Promise.resolve({ status: 404, headers: {} }), { timeoutMs: 1_000 })
    await provider.record('degraded')
    await expect(provider.execute(fail)).rejects.toThrow('down')
    await expect(provider.execute(fail)).rejects.toThrow(/openai/)
    const calls = (outcome: string) => read(`busbar_calls_total{provider="openai",outcome="${outcome}"}`)
    expect(await calls('healthy')).toBe(100)
    expect(await calls('client_error')).toBe(1)
    expect(await calls('degraded')).toBe(1)
    expect(await calls('unhealthy')).toBe(1)
    expect(await read('busbar_refusals_total{provider="openai",code="circuit_open"}')).toBe(1)
    expect(await read('busbar_decisions_total{source="cache",admitted="true"}')).toBe(102)
    expect(await read('busbar_decisions_total{source="cache",admitted="false"}')).toBe(1)
  })

  it('has durations in seconds; of a burst one call stands for those that it follows', async () => {
    const { busbar, read } = metered()
    const provider = await busbar.provider('openai')
    await provider.execute(() => {
      busbar.clock.advance(2_000)
      return 1
    })
    const duration = 'busbar_call_duration_seconds'
    const series = `result="success",provider="openai"`
    expect(await read(`${duration}_sum{provider="openai",result="success"}`)).toBe(2)
    expect(await read(`${duration}_bucket{provider="openai",result="success",le="1"}`)).toBe(0)
    expect(await read(`${duration}_bucket{provider="openai",result="success",le="2.5"}`), series).toBe(1)
    for (let i = 0; i < 1_000; i += 1) await provider.execute(() => 1)
    const counted = (await read(`${duration}_count{provider="openai",result="success"}`)) ?? 0
    expect(counted).toBeGreaterThan(1_001 - 64)
    expect(counted).toBeLessThanOrEqual(1_001)
  })

  it('says of a mark, a pause and the settings', async () => {
    const { busbar, read } = metered()
    const probe = { kind: 'tcp', host: 'localhost', port: 1 } as const
    const provider = await busbar.provider('openai', { probe, breaker: { enforce: false } })
    await provider.markDegraded()
    await provider.record('throttled', { retryAfterMs: 5_000 })
    expect(await read('busbar_mark_active{provider="openai",mark="degraded"}')).toBe(1)
    expect(await read('busbar_mark_active{provider="openai",mark="terminated"}')).toBe(0)
    expect(await read('busbar_provider_health{provider="openai",health="degraded"}')).toBe(1)
    expect(await read('busbar_throttled_until_timestamp_seconds{provider="openai"}')).toBe(1_700_000_005)
    const about = 'provider="openai",group="",probe_kind="tcp",enforced="false"'
    expect(await read(`busbar_provider_info{${about}}`)).toBe(1)
    expect(await read('busbar_probe_overdue{provider="openai"}')).toBe(0)
    await provider.execute(() => 1)
    expect(await read('busbar_would_refuse_total{provider="openai",code="throttled"}')).toBe(1)
  })

  it('counts health checks, commands, and the way of news from another process', async () => {
    const { busbar, read } = metered({ fleet: true })
    const probe = { kind: 'function', name: 'model', intervalMs: 1_000 } as const
    await busbar.provider('model', { probe })
    await busbar.startProbes({ functions: { model: () => 'degraded' } })
    await busbar.clock.advanceAsync(1_500)
    expect(await read('busbar_probes_total{provider="model",outcome="degraded"}')).toBeGreaterThan(0)
    expect(await read('busbar_probe_duration_seconds_count{kind="function"}')).toBeGreaterThan(0)
    expect(await read('busbar_last_probe_timestamp_seconds{provider="model"}')).toBeGreaterThan(1_700_000_000)
    expect(await read('busbar_store_command_duration_seconds_count{script="register"}')).toBe(1)
    const other = createTestBusbar({ fleet: busbar.fleet })
    onTestFinished(() => other.close())
    const before = (await read('busbar_propagation_seconds_count')) ?? 0
    await (await other.provider('model')).trip()
    expect(await read('busbar_propagation_seconds_count')).toBe(before + 1)
    expect(await read('busbar_propagation_seconds_sum')).toBe(0)
  })

  it('drops the series of a provider that is removed', async () => {
    const { busbar, registry } = metered()
    const provider = await busbar.provider('openai')
    await provider.execute(() => 1)
    expect(await registry.metrics()).toContain('provider="openai"')
    await busbar.remove('openai')
    expect(await registry.metrics()).not.toContain('provider="openai"')
  })

  it('bounds its labels: providers beyond maxProviders are one, whose counts never fall', async () => {
    const { busbar, read } = metered({ maxProviders: 2 })
    for (const id of ['a', 'b', 'c', 'd']) {
      const provider = await busbar.provider(id, QUICK)
      await provider.execute(() => 1)
      if (id === 'd') await provider.trip()
    }
    expect(await read('busbar_calls_total{provider="_other",outcome="healthy"}')).toBe(2)
    expect(await read('busbar_circuit_state{provider="_other",state="open"}')).toBe(1)
    expect(await read('busbar_circuit_state{provider="_other",state="closed"}')).toBe(1)
    expect(await read('busbar_call_duration_seconds_count{provider="_other",result="success"}')).toBe(2)
    await busbar.remove('c')
    expect(await read('busbar_calls_total{provider="_other",outcome="healthy"}')).toBe(2)
    await busbar.remove('a')
    expect(await read('busbar_calls_total{provider="d",outcome="healthy"}')).toBe(1)
  })

  it('reads the whole fleet where it is asked to, and not more often than once per 5 s', async () => {
    const { busbar, read } = metered({ fleet: true })
    const { fleet, clock } = busbar
    const other = createTestBusbar({ fleet })
    onTestFinished(() => other.close())
    const provider = await other.provider('elsewhere', QUICK)
    expect(await read('busbar_outcomes_applied_total{provider="elsewhere"}')).toBe(0)
    expect(busbar.get('elsewhere')).toBeUndefined()
    await provider.record('healthy')
    await other.flush()
    expect(await read('busbar_outcomes_applied_total{provider="elsewhere"}')).toBe(0)
    clock.advance(5_000)
    expect(await read('busbar_outcomes_applied_total{provider="elsewhere"}')).toBe(1)
    await other.remove('elsewhere')
    clock.advance(5_000)
    expect(await read('busbar_outcomes_applied_total{provider="elsewhere"}')).toBeUndefined()
  })

  it('keeps the last of what Redis said while it is away, and says that it is', async () => {
    const { busbar, read } = metered({ fleet: true })
    const provider = await busbar.provider('openai', QUICK)
    expect(await read('busbar_store_up')).toBe(1)
    busbar.redis.down()
    await provider.execute(() => 1)
    expect(await read('busbar_store_up')).toBe(0)
    expect(await read('busbar_circuit_state{provider="openai",state="closed"}')).toBe(1)
    expect(await read('busbar_decisions_total{source="fallback",admitted="true"}')).toBeGreaterThan(0)
    expect(await read('busbar_outbox_runs')).toBeGreaterThan(0)
    busbar.clock.advance(3_000)
    expect(await read('busbar_outbox_oldest_seconds')).toBeGreaterThanOrEqual(3)
  })

  it('refuses by name: what is no registry, one that has its metrics, labels that are taken', () => {
    const { busbar, registry } = metered()
    expect(() => register(busbar, { registry })).toThrow(
      'register.registry: it has a metric busbar_circuit_state already',
    )
    // @ts-expect-error: what a program without types may give
    expect(() => register(busbar, { registry: {} })).toThrow(
      'register.registry: expected a Registry of prom-client',
    )
    expect(() => register(busbar, { labels: { provider: 'x' } })).toThrow(
      'register.labels.provider: a label that metrics of Busbar have',
    )
    expect(() => register(busbar, { labels: { 'my-fleet': 'x' } })).toThrow(
      'register.labels.my-fleet: no name',
    )
    expect(() => register(busbar, { maxProviders: 0 })).toThrow('register.maxProviders')
    // What a program without types may give.
    expect((): unknown => Reflect.apply(register, undefined, [{}])).toThrow(
      'busbar: expected what connect() gives',
    )
  })

  it('speaks OpenMetrics where the registry does', async () => {
    const { busbar, registry } = metered()
    await (await busbar.provider('openai')).execute(() => 1)
    Reflect.apply(Reflect.get(registry, 'setContentType') as () => void, registry, [
      Registry.OPENMETRICS_CONTENT_TYPE,
    ])
    const text = await registry.metrics()
    expect(text).toContain(
      '# TYPE busbar_calls counter\nbusbar_calls_total{provider="openai",outcome="healthy"} 1',
    )
    expect(text).toMatch(/^busbar_call_duration_seconds_bucket\{le="0.5",?|# EOF\n$/m)
  })

  it('is gone after unregister, and can come again', async () => {
    const { busbar, registry, unregister } = metered({ registry: new Registry(), labels: { fleet: 'eu' } })
    await busbar.provider('openai')
    expect(await registry.metrics()).toContain('provider="openai",state="open",fleet="eu"')
    unregister()
    expect((await registry.metrics()).trim()).toBe('')
    register(busbar, { registry })
    expect(await registry.metrics()).toContain('busbar_store_up 1')
  })
})
