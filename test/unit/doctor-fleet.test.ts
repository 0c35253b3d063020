import { describe, expect, it, onTestFinished } from 'vitest'
import { checkFleet } from '../../src/cli/doctor/fleet.js'
import { readView } from '../../src/view/provider-view.js'
import type { Inspection } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'

const PROBE = {
  kind: 'tcp' as const,
  host: 'localhost',
  port: 1,
  intervalMs: 60_000,
  suspiciousIntervalMs: 15_000,
  downIntervalMs: 300_000,
}

/** A fleet whose one scheduler ticks this often. */
const planned = (intervalMs: number): Inspection => ({
  version: null,
  role: null,
  evictionPolicy: null,
  maxmemoryBytes: null,
  usedMemoryBytes: null,
  appendOnly: null,
  saveRules: null,
  persistenceOk: null,
  hz: null,
  schema: '1',
  roundTripsMs: [1],
  clockAheadMs: 0,
  scriptsProblem: null,
  scriptCount: 0,
  pubSubProblem: null,
  wrongTypes: [],
  workers: [],
  planned: [
    { id: 'api', intervalMs, lateMs: 0, nextInMs: 0, why: 'scheduled', queue: '{busbar}:probes', needs: '' },
  ],
  pausedProbeQueues: [],
})

async function setUp() {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const provider = await busbar.provider('api', { probe: PROBE, breaker: { cooldownMs: 100_000 } })
  const found = async (intervalMs: number) =>
    checkFleet(planned(intervalMs), [await readView(provider)]).find(({ check }) => check === 'probe api')
      ?.found
  return { provider, clock: busbar.clock, found }
}

describe('the doctor compares what is planned with the pace of now', () => {
  it('of a provider that is closed, open and half-open, once the workers had time to plan', async () => {
    const { provider, clock, found } = await setUp()
    clock.advance(50_000)
    expect(await found(60_000)).toBeUndefined()
    expect(await found(300_000)).toBe('planned every 5m, and it should be every 1m')
    for (let i = 0; i < 3; i += 1) await provider.recordFailure()
    clock.advance(50_000)
    expect(await found(300_000)).toBeUndefined()
    expect(await found(60_000)).toBe('planned every 1m, and it should be every 5m')
    clock.advance(50_000 + 39_999)
    expect(await provider.state()).toBe('half_open')
    expect(await found(15_000)).toBeUndefined()
    // Nothing has told the workers that the cooldown is over; one of them looks twice a minute.
    expect(await found(300_000)).toBeUndefined()
    expect(await found(10_000)).toBe('planned every 10s, and it should be every 15s')
    clock.advance(1)
    expect(await found(300_000)).toBe('planned every 5m, and it should be every 15s')
  })

  it('and says how often a result is wanted where none has come', async () => {
    const { provider, clock, found } = await setUp()
    await provider.trip()
    clock.advance(899_999)
    expect(await found(300_000)).toBeUndefined()
    clock.advance(1)
    expect(await found(300_000)).toBe('overdue: no result yet, every 5m is wanted')
  })

  it('not at all while a mark has ended the probes', async () => {
    const { provider, found } = await setUp()
    await provider.markUnhealthy()
    expect(await found(60_000)).toBe('planned, though it is marked unhealthy')
  })
})

describe('the doctor warns of client errors', () => {
  it('where most calls were, once there are a few', async () => {
    const { provider } = await setUp()
    const found = async () =>
      checkFleet(planned(60_000), [await readView(provider)]).find(({ check }) => check === 'calls api')
    for (let i = 0; i < 4; i += 1) await provider.record('client_error', { detail: 'HTTP 403' })
    expect(await found()).toBeUndefined()
    await provider.record('client_error', { detail: 'HTTP 401' })
    expect(await found()).toMatchObject({ level: 'warn', found: '5 of 5 calls: client error (HTTP 401)' })
    for (let i = 0; i < 6; i += 1) await provider.recordSuccess()
    expect(await found()).toBeUndefined()
  })
})

describe('the doctor warns where most calls say nothing of a provider', () => {
  const CASES = [
    ['aborted', 'give execute a timeoutMs'],
    ['event loop stalled', 'The event loop of a worker stands still'],
    ['TypeError', 'the log of the workers says why'],
  ] as const
  it.each(CASES)('with advice for %s, from five such calls on', async (detail, advice) => {
    const { provider } = await setUp()
    const warned = async () =>
      checkFleet(planned(60_000), [await readView(provider)]).find(({ check }) => check === 'calls api')
    for (let i = 0; i < 4; i += 1) await provider.record('ignored', { detail })
    expect(await warned()).toBeUndefined()
    await provider.record('ignored', { detail })
    expect(await warned()).toMatchObject({ level: 'warn', found: `5 of 5 calls: ignored (${detail})` })
    expect((await warned())?.advice).toContain(advice)
    for (let i = 0; i < 5; i += 1) await provider.recordSuccess()
    expect(await warned()).toBeUndefined()
  })
})
