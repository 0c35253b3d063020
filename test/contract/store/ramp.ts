import { describe, expect, it } from 'vitest'
import { kinds, quick, TestProvider, type TestStore } from './test-provider.js'

/** The ramp after a closing, as the store keeps it. Which calls are held back, each worker draws for itself. */
export function rampContract(open: () => Promise<TestStore>): void {
  const GROWING = { recoveryRampMs: 10_000, cooldownMultiplier: 2 }

  /** Opened twice, so that the cooldown has grown, and closed by a trial just now. */
  async function recovered(testStore: TestStore, breaker: object = GROWING): Promise<TestProvider> {
    const testProvider = await quick(testStore, breaker)
    await testProvider.openAndWait()
    await testProvider.settle(await testProvider.admit(), 'unhealthy')
    await testStore.advance(2_000)
    expect(kinds(await testProvider.settle(await testProvider.admit(), 'healthy'))).toEqual(['closed'])
    return testProvider
  }

  describe('the ramp', () => {
    it('begins when trials close the circuit, and ends by itself, to the ms', async () => {
      const testStore = await open()
      const testProvider = await recovered(testStore)
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', rampForMs: 10_000 })
      await testStore.advance(9_999)
      expect(await testProvider.snapshot()).toMatchObject({ rampForMs: 1, cooldownMs: 2_000 })
      await testStore.advance(1)
      expect(await testProvider.snapshot()).toMatchObject({ rampForMs: 0, cooldownMs: 0 })
    })

    it('is off unless it is set', async () => {
      const testProvider = await recovered(await open(), { cooldownMultiplier: 2 })
      expect(await testProvider.snapshot()).toMatchObject({ rampForMs: 0, cooldownMs: 0 })
    })

    it('refuses nothing in the store: probes and calls are admitted', async () => {
      const testProvider = await recovered(await open())
      expect(await testProvider.admit('b')).toMatchObject({ admitted: true, code: null, trial: false })
      expect(await testProvider.probe('p')).toMatchObject({ admitted: true, code: null })
    })

    it('lets an opening grow on, and one after it begin with the first cooldown', async () => {
      const testStore = await open()
      const testProvider = await recovered(testStore)
      await testStore.advance(9_999)
      const within = await testProvider.record('unhealthy')
      expect(within.snapshot).toMatchObject({ state: 'open', cooldownMs: 4_000, rampForMs: 0 })
      await testStore.advance(4_000)
      await testProvider.settle(await testProvider.admit(), 'healthy')
      await testStore.advance(10_000)
      const after = await testProvider.record('unhealthy')
      expect(after.snapshot).toMatchObject({ state: 'open', cooldownMs: 1_000 })
    })

    it('is skipped and ended by a reset, which resets the cooldown too', async () => {
      const testStore = await open()
      const testProvider = await recovered(testStore)
      await testProvider.reset()
      expect(await testProvider.snapshot()).toMatchObject({ rampForMs: 0, cooldownMs: 0 })
      await testProvider.record('unhealthy')
      await testProvider.reset()
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', rampForMs: 0 })
    })

    it('ends with a trip by hand; the trial after that grows the cooldown on', async () => {
      const testStore = await open()
      const testProvider = await recovered(testStore)
      await testProvider.trip(500)
      expect(await testProvider.snapshot()).toMatchObject({ state: 'open', rampForMs: 0 })
      await testStore.advance(500)
      const failed = await testProvider.settle(await testProvider.admit(), 'unhealthy')
      expect(failed.snapshot).toMatchObject({ state: 'open', cooldownMs: 4_000 })
    })

    it('comes back after a wipe, with the cooldown', async () => {
      const testStore = await open()
      const testProvider = await recovered(testStore)
      await testStore.advance(4_000)
      const known = await testProvider.snapshot()
      const wiped = new TestProvider(testStore, 'wiped')
      await wiped.register({ breaker: GROWING }, { restore: { ...known, id: 'wiped' } })
      expect(await wiped.snapshot()).toMatchObject({ rampForMs: 6_000, cooldownMs: 2_000, state: 'closed' })
    })
  })
}
