import { describe, expect, it } from 'vitest'
import { HEALTH_STATUSES, type Provider } from '../../src/index.js'
import { testFleet } from '../harness/fleet.js'

/** The health checker's tests of the reference, under their names, and one for the mark that it does not test. */

async function checker(): Promise<Provider> {
  const fleet = await testFleet()
  const busbar = await fleet.connect()
  return busbar.provider('agent')
}

describe('health checker', () => {
  it('test_health_status_display', async () => {
    const provider = await checker()
    for (const status of HEALTH_STATUSES) await provider.record(status)
    const written = ['healthy', 'degraded', 'unhealthy', 'timeout', 'terminated']
    expect((await provider.history()).map(({ status }) => status)).toEqual(written)
    expect([...HEALTH_STATUSES]).toEqual(written)
  })

  it('test_health_checker', async () => {
    const provider = await checker()
    expect(await provider.isHealthy()).toBe(true)
    expect(await provider.status()).toBe('healthy')
    await provider.markUnhealthy()
    expect(await provider.isHealthy()).toBe(false)
    expect(await provider.status()).toBe('unhealthy')
  })

  it('test_health_checker_degraded', async () => {
    const provider = await checker()
    await provider.markDegraded()
    expect(await provider.isHealthy()).toBe(true)
    expect(await provider.status()).toBe('degraded')
  })

  it('test_health_checker_terminated', async () => {
    const provider = await checker()
    await provider.markTerminated()
    expect(await provider.isHealthy()).toBe(false)
    expect(await provider.status()).toBe('terminated')
  })
})
