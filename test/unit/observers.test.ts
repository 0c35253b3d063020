import { hostname } from 'node:os'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { failureDomainOf } from '../../src/config/failure-domain.js'
import type { DecisionObservation, OutcomeObservation } from '../../src/index.js'
import { createTestBusbar, createTestFleet, type TestBusbarOptions } from '../../src/testing.js'

function observed(options: TestBusbarOptions = {}) {
  const outcomes: OutcomeObservation[] = []
  const decisions: DecisionObservation[] = []
  const busbar = createTestBusbar({ onOutcome: (outcome) => outcomes.push(outcome), ...options })
  busbar.observe({ decision: (decision) => decisions.push(decision) })
  onTestFinished(() => busbar.close())
  return { busbar, outcomes, decisions }
}

describe('connect({ onOutcome })', () => {
  it('is told of every outcome of a call once, whatever way it took', async () => {
    const { busbar, outcomes } = observed({ failureDomain: 'node-3' })
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 100 } })
    await provider.execute(() => Promise.resolve(1))
    await provider.execute(() => Promise.resolve({ status: 404, headers: {} }), { timeoutMs: 1_000 })
    await expect(provider.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    await provider.record('degraded')
    const decision = await provider.admit()
    if (!decision.admitted) throw new Error('refused')
    busbar.clock.advance(250)
    await decision.permit.settle('timeout')
    await decision.permit.settle('healthy')
    {
      const left = await provider.admit()
      if (left.admitted) await left.permit[Symbol.asyncDispose]()
    }
    expect(outcomes.map(({ outcome, ms }) => [outcome, ms])).toEqual([
      ['healthy', 0],
      ['client_error', 0],
      ['unhealthy', 0],
      ['degraded', 0],
      ['timeout', 250],
      ['ignored', 0],
    ])
    for (const one of outcomes) expect(one).toMatchObject({ provider: 'openai', origin: 'call' })
  })

  it('is told of the tries of a process that doubts itself', async () => {
    const fleet = createTestFleet()
    const { busbar, outcomes } = observed({ fleet })
    const other = createTestBusbar({ fleet })
    onTestFinished(() => other.close())
    const settings = { breaker: { quorum: 2 } }
    const provider = await busbar.provider('openai', settings)
    await (await other.provider('openai', settings)).record('healthy')
    await other.flush()
    for (let i = 0; i < 20; i += 1) await provider.record('unhealthy')
    await fleet.clock.advanceAsync(1_000)
    expect(await provider.execute(() => 'answer')).toBe('answer')
    expect(outcomes).toHaveLength(21)
    expect(outcomes.at(-1)).toMatchObject({ outcome: 'healthy' })
  })

  it('gives lines of a trace: at, outcome, ms, domain, worker, origin', async () => {
    const { busbar, outcomes } = observed({ failureDomain: 'node-3', workerId: 'worker-7' })
    const provider = await busbar.provider('openai')
    busbar.clock.advance(5_000)
    await provider.execute(() => {
      busbar.clock.advance(40)
      return Promise.resolve(1)
    })
    expect(JSON.parse(JSON.stringify(outcomes[0]))).toEqual({
      at: 1_700_000_005_040,
      provider: 'openai',
      outcome: 'healthy',
      ms: 40,
      domain: 'node-3',
      worker: 'worker-7',
      origin: 'call',
    })
  })

  it('is told of probes as of origin probe', async () => {
    const { busbar, outcomes } = observed()
    const probe = { kind: 'function', name: 'model', intervalMs: 1_000 } as const
    await busbar.provider('model', { probe })
    await busbar.startProbes({ functions: { model: () => 'degraded' } })
    await busbar.clock.advanceAsync(1_500)
    expect(outcomes.map(({ origin, outcome }) => [origin, outcome])).toContainEqual(['probe', 'degraded'])
  })

  it('is told once of trials, in strict mode, and while Redis is away', async () => {
    const { busbar, outcomes } = observed({ consistency: 'strict' })
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 1, cooldownMs: 1_000 } })
    await expect(provider.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    await expect(provider.execute(() => 1)).rejects.toThrow(/openai/)
    await busbar.clock.advanceAsync(1_001)
    await provider.execute(() => 1)
    busbar.redis.down()
    await provider.execute(() => 1)
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unhealthy', 'healthy', 'healthy'])
  })

  it('that throws, or rejects, is logged once and hurts nobody', async () => {
    const error = vi.fn()
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error }
    let calls = 0
    const { busbar } = observed({
      logger,
      onOutcome: () => {
        calls += 1
        if (calls % 2 === 0) return Promise.reject(new Error('late'))
        throw new Error('no')
      },
    })
    const provider = await busbar.provider('openai')
    for (let i = 0; i < 10; i += 1) expect(await provider.execute(() => i)).toBe(i)
    await Promise.resolve()
    expect(calls).toBe(10)
    expect(error).toHaveBeenCalledTimes(1)
    expect(busbar.counters.callbacksFailed).toBe(10)
    expect(await provider.state()).toBe('closed')
  })

  it('is refused by name where it is no function', () => {
    const options = { onOutcome: 'log' } as unknown as TestBusbarOptions
    expect(() => createTestBusbar(options)).toThrow(/onOutcome: expected a function, got "log"/)
  })
})

describe('busbar.observe()', () => {
  it('is told of every decision, with its source, and of refusals with their code', async () => {
    const { busbar, decisions } = observed()
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 1, cooldownMs: 1_000 } })
    await provider.execute(() => 1)
    await provider.execute(() => 1, { timeoutMs: 100 })
    await expect(provider.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    await provider.admit()
    await provider.execute(() => 1).catch(() => undefined)
    await busbar.clock.advanceAsync(1_001)
    await provider.execute(() => 1)
    expect(decisions.map(({ admitted, source, code }) => [admitted, source, code])).toEqual([
      [true, 'cache', null],
      [true, 'cache', null],
      [true, 'cache', null],
      [false, 'cache', 'circuit_open'],
      [false, 'cache', 'circuit_open'],
      [true, 'redis', null],
    ])
  })

  it('says with enforce: false what would have been refused', async () => {
    const { busbar, decisions } = observed()
    const provider = await busbar.provider('openai', { breaker: { enforce: false } })
    await provider.markUnhealthy()
    await provider.execute(() => 1)
    expect(decisions).toMatchObject([{ admitted: true, code: null, wouldRefuse: 'marked_unhealthy' }])
  })

  it('is told from the moment it is added until it is taken off', async () => {
    const { busbar, outcomes } = observed()
    const provider = await busbar.provider('openai')
    const later: OutcomeObservation[] = []
    let stop: (() => void) | undefined
    await provider.execute(() => {
      stop = busbar.observe({ outcome: (outcome) => later.push(outcome) })
    })
    await provider.execute(() => 1)
    stop?.()
    await provider.execute(() => 1)
    expect(outcomes).toHaveLength(3)
    expect(later).toHaveLength(2)
  })
})

describe("busbar.on('*')", () => {
  it('hears every event, of providers and of this process', async () => {
    const { busbar } = observed()
    const heard: string[] = []
    const stop = busbar.on('*', ({ kind }) => heard.push(kind))
    const provider = await busbar.provider('openai', { breaker: { failureThreshold: 1 } })
    await provider.recordFailure()
    busbar.redis.down()
    await busbar.redis.up()
    stop()
    await provider.reset()
    expect(heard).toEqual(['registered', 'opened', 'store_lost', 'store_restored'])
  })
})

describe('the failure domain', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('is what was given, else that of the environment, else the name of the host', () => {
    expect(failureDomainOf('node-3', { BUSBAR_FAILURE_DOMAIN: 'node-4' })).toBe('node-3')
    expect(failureDomainOf(undefined, { BUSBAR_FAILURE_DOMAIN: 'node-4' })).toBe('node-4')
    expect(failureDomainOf(undefined, {})).toBe(hostname())
    expect(failureDomainOf(undefined, { BUSBAR_FAILURE_DOMAIN: '' }, 'my host')).toBe('my-host')
  })

  it('is refused by name where it makes no sense', () => {
    const env = { BUSBAR_FAILURE_DOMAIN: 'node 4' }
    expect(() => failureDomainOf(undefined, env)).toThrow(/BUSBAR_FAILURE_DOMAIN: .*got "node 4"/)
  })
})
