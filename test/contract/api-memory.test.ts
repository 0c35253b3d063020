import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestBusbar, createTestClock } from '../../src/testing.js'
import { apiContract } from './api.contract.js'
import { outcomeOf, QUICK, type OpenApi } from './api/test-busbar.js'

const open: OpenApi = (options = {}) => {
  const busbar = createTestBusbar(options)
  onTestFinished(() => busbar.close())
  const advance = (ms: number) => {
    busbar.clock.advance(ms)
    return Promise.resolve()
  }
  return Promise.resolve({ busbar, source: 'cache', advance, spend: advance })
}

apiContract('memory', open)

describe('a test busbar', () => {
  it.each([
    [20, 'healthy'],
    [21, 'degraded'],
  ] as const)('times calls by its clock: %i ms of slowMs 20 are %s', async (ms, outcome) => {
    const busbar = createTestBusbar()
    const provider = await busbar.provider('openai', { ...QUICK, slowMs: 20 })
    await provider.execute(() => busbar.clock.advance(ms))
    expect(await outcomeOf(provider)).toBe(outcome)
  })

  it('lives by the clock that it is given, and does not see another busbar', async () => {
    const clock = createTestClock(5_000)
    const [one, other] = [createTestBusbar({ clock }), createTestBusbar({ clock })]
    const provider = await one.provider('openai', QUICK)
    await (await other.provider('openai', QUICK)).recordFailure()
    clock.advance(250)
    expect(await provider.snapshot()).toMatchObject({ state: 'closed', at: 5_250 })
    expect(await other.get('openai')?.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 750 })
  })

  it.each([-1, NaN, Infinity])('does not move its clock by %s ms', (ms) => {
    expect(() => createTestClock().advance(ms)).toThrow(/ms: expected a number of milliseconds, 0 or more/)
  })

  it('refuses an option that it does not know, by name', () => {
    expect(() => createTestBusbar({ colck: createTestClock() } as object)).toThrow(/colck/)
  })

  it('refuses defaults that make no sense', () => {
    expect(() => createTestBusbar({ defaults: { breaker: { cooldownMs: -1 } } })).toThrow(
      /breaker\.cooldownMs/,
    )
  })

  it('calls no provider stale at a peek for results that nobody told it of', async () => {
    const busbar = createTestBusbar()
    const probe = { kind: 'tcp' as const, host: 'localhost', port: 1, intervalMs: 1_000 }
    const provider = await busbar.provider('openai', { probe })
    busbar.clock.advance(3_000)
    expect(provider.peek()).toMatchObject({ stale: false })
    expect(await provider.snapshot()).toMatchObject({ stale: true })
    expect(provider.peek()).toMatchObject({ stale: true })
  })

  it('ages what it peeks at', async () => {
    const busbar = createTestBusbar()
    const provider = await busbar.provider('openai', QUICK)
    await provider.recordFailure()
    busbar.clock.advance(999)
    expect(provider.peek()).toMatchObject({ state: 'open', retryAfterMs: 1 })
    busbar.clock.advance(1)
    const since = busbar.clock.now()
    expect(provider.peek()).toMatchObject({ state: 'half_open', retryAfterMs: 0, stateSince: since })
    busbar.clock.advance(5)
    expect(provider.peek()).toMatchObject({ stateSince: since })
  })
})
