import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HealthStatus, Provider } from '../../src/index.js'
import { testFleet } from '../harness/fleet.js'

/** The health history's tests of the reference, under their names. */

const SEED = Number(process.env['BUSBAR_PROPERTY_SEED'] ?? Date.now() % 2 ** 31)

async function historyOf(maxRecords: number, windowMs: number): Promise<Provider> {
  const fleet = await testFleet()
  const busbar = await fleet.connect()
  return busbar.provider('agent', { history: { maxRecords, windowMs } })
}

/** One after the other, as the reference does; several may travel in one batch. */
async function record(provider: Provider, statuses: readonly HealthStatus[]): Promise<void> {
  await Promise.all(statuses.map((status) => provider.record(status)))
}

const times = (count: number, status: HealthStatus) => Array.from({ length: count }, () => status)

describe('health history', () => {
  it('test_health_history_empty', async () => {
    const history = await historyOf(100, 60_000)
    expect(await history.history()).toEqual([])
    expect(await history.historySize()).toBe(0)
    expect(await history.successRate()).toBe(1)
  })

  it('test_health_history_all_healthy', async () => {
    const history = await historyOf(100, 60_000)
    await record(history, times(10, 'healthy'))
    expect(await history.successRate()).toBe(1)
    expect(await history.assess(0.8)).toBe('healthy')
  })

  it('test_health_history_mixed', async () => {
    const history = await historyOf(100, 60_000)
    await record(history, [...times(7, 'healthy'), ...times(3, 'unhealthy')])
    expect(await history.successRate()).toBeCloseTo(0.7, 10)
    expect(await history.assess(0.8)).toBe('degraded')
  })

  it('test_health_history_all_unhealthy', async () => {
    const history = await historyOf(100, 60_000)
    await record(history, times(5, 'unhealthy'))
    expect(await history.successRate()).toBe(0)
    expect(await history.assess(0.5)).toBe('unhealthy')
  })

  it('test_health_history_max_records', async () => {
    const history = await historyOf(5, 600_000)
    await record(history, times(10, 'healthy'))
    expect(await history.historySize()).toBe(5)
  })

  it('health_history_success_rate_in_range', async () => {
    console.log(`seed ${SEED} (BUSBAR_PROPERTY_SEED repeats it)`)
    const fleet = await testFleet()
    const busbar = await fleet.connect()
    const status = fc.constantFrom('healthy' as const, 'unhealthy' as const, 'degraded' as const)
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(status, { minLength: 1, maxLength: 99 }), async (statuses) => {
        runs += 1
        const id = `agent-${runs}`
        const history = await busbar.provider(id, { history: { maxRecords: 200, windowMs: 600_000 } })
        await record(history, statuses)
        const rate = await history.successRate()
        expect(rate).toBeGreaterThanOrEqual(0)
        expect(rate).toBeLessThanOrEqual(1)
        // The reference asks no more; this also says which number in that range it is.
        expect(rate).toBe(statuses.filter((status) => status === 'healthy').length / statuses.length)
        await busbar.remove(id)
      }),
      { numRuns: 256, seed: SEED },
    )
    expect(runs).toBeGreaterThanOrEqual(256)
  })
})
