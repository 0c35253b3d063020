import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CIRCUIT_STATES, type BreakerSettings, type Provider } from '../../src/index.js'
import { testFleet, type Fleet } from '../harness/fleet.js'

/** The circuit breaker's tests of the reference, under their names. Where it sleeps, the clock of Redis is moved. */

const SEED = Number(process.env['BUSBAR_PROPERTY_SEED'] ?? Date.now() % 2 ** 31)

async function circuit(breaker: Partial<BreakerSettings> = {}): Promise<{ fleet: Fleet; cb: Provider }> {
  const fleet = await testFleet()
  const busbar = await fleet.connect()
  return { fleet, cb: await busbar.provider('agent', { breaker }) }
}

describe('circuit breaker', () => {
  it('test_circuit_state_display', async () => {
    const { fleet, cb } = await circuit({ failureThreshold: 1, cooldownMs: 100 })
    const seen = [await cb.state()]
    await cb.recordFailure()
    seen.push(await cb.state())
    await fleet.clock.advance(100)
    seen.push(await cb.state())
    expect(seen).toEqual(['closed', 'open', 'half_open'])
    expect([...CIRCUIT_STATES]).toEqual(['closed', 'open', 'half_open'])
  })

  it('test_circuit_breaker_starts_closed', async () => {
    const { cb } = await circuit()
    expect(await cb.state()).toBe('closed')
    expect(await cb.shouldAllow()).toBe(true)
  })

  it('test_circuit_breaker_opens_on_failures', async () => {
    const { cb } = await circuit({ failureThreshold: 3, cooldownMs: 30_000, successThreshold: 1 })
    await cb.recordFailure()
    expect(await cb.state()).toBe('closed')
    await cb.recordFailure()
    expect(await cb.state()).toBe('closed')
    await cb.recordFailure()
    expect(await cb.state()).toBe('open')
    expect(await cb.shouldAllow()).toBe(false)
  })

  it('test_circuit_breaker_success_resets_failure_count', async () => {
    const { cb } = await circuit({ failureThreshold: 3 })
    await cb.recordFailure()
    await cb.recordFailure()
    await cb.recordSuccess()
    await cb.recordFailure()
    await cb.recordFailure()
    expect(await cb.state()).toBe('closed')
  })

  it('test_circuit_breaker_half_open_after_cooldown', async () => {
    const { fleet, cb } = await circuit({ failureThreshold: 1, cooldownMs: 100, successThreshold: 1 })
    await cb.recordFailure()
    expect(await cb.state()).toBe('open')
    await fleet.clock.advance(150)
    expect(await cb.state()).toBe('half_open')
    expect(await cb.shouldAllow()).toBe(true)
  })

  it('test_circuit_breaker_half_open_success_closes', async () => {
    const { fleet, cb } = await circuit({ failureThreshold: 1, cooldownMs: 100, successThreshold: 1 })
    await cb.recordFailure()
    await fleet.clock.advance(150)
    expect(await cb.state()).toBe('half_open')
    await cb.recordSuccess()
    expect(await cb.state()).toBe('closed')
  })

  it('test_circuit_breaker_half_open_failure_reopens', async () => {
    const { fleet, cb } = await circuit({ failureThreshold: 1, cooldownMs: 100, successThreshold: 1 })
    await cb.recordFailure()
    await fleet.clock.advance(150)
    await cb.recordFailure()
    expect(await cb.state()).toBe('open')
  })

  it('test_circuit_breaker_reset', async () => {
    const { cb } = await circuit({ failureThreshold: 1 })
    await cb.recordFailure()
    expect(await cb.state()).toBe('open')
    await cb.reset()
    expect(await cb.state()).toBe('closed')
    expect(await cb.shouldAllow()).toBe(true)
  })

  it('circuit_breaker_state_always_valid', async () => {
    console.log(`seed ${SEED} (BUSBAR_PROPERTY_SEED repeats it)`)
    const fleet = await testFleet()
    const busbar = await fleet.connect()
    const breaker = { failureThreshold: 3, cooldownMs: 1, successThreshold: 1 }
    const step = fc.record({ success: fc.boolean(), thenMs: fc.nat(1) })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 49 }), async (steps) => {
        runs += 1
        const id = `agent-${runs}`
        const cb = await busbar.provider(id, { breaker })
        for (const { success, thenMs } of steps) {
          await (success ? cb.recordSuccess() : cb.recordFailure())
          if (thenMs > 0) await fleet.clock.advance(thenMs)
          const { state } = await cb.snapshot()
          expect(['closed', 'open', 'half_open']).toContain(state)
        }
        await busbar.remove(id)
      }),
      { numRuns: 256, seed: SEED },
    )
    expect(runs).toBeGreaterThanOrEqual(256)
  })
})
