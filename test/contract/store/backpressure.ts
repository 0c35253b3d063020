import { describe, expect, it } from 'vitest'
import { quick, run, type TestStore, type TestProvider } from './test-provider.js'

const NO_PATIENCE = { waitMs: 100, urgentShare: 1 }
/** One batch a second: slots are 1 112 ms apart. */
const TIGHT = { maxBatchesPerSecond: 1 }

/** How a provider asks its workers for patience, and what it does about the old news that they hold meanwhile. */
export function loadContract(open: () => Promise<TestStore>): void {
  describe('the load of a provider', () => {
    it('below the budget asks nobody for patience', async () => {
      const testProvider = await quick(await open())
      for (let i = 0; i < 20; i += 1) expect(await testProvider.record('healthy')).toMatchObject(NO_PATIENCE)
    })

    it('above it gives each batch a slot of its own, and lets fewer failures go at once', async () => {
      const testProvider = await quick(await open())
      const slots = []
      for (let i = 1; i <= 3; i += 1) {
        const { waitMs, urgentShare } = await testProvider.send([run('healthy')], TIGHT)
        slots.push({ waitMs, urgentShare })
      }
      expect(slots).toEqual([
        { waitMs: 1_111, urgentShare: 0.090009 },
        { waitMs: 2_222, urgentShare: 0.045004 },
        { waitMs: 3_333, urgentShare: 0.030003 },
      ])
    })

    it('is forgotten when its slots have passed', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      for (let i = 0; i < 5; i += 1) await testProvider.send([run('healthy')], TIGHT)
      await testStore.advance(4_000)
      expect((await testProvider.send([run('healthy')], TIGHT)).waitMs).toBe(2_666)
      await testStore.advance(60_000)
      expect(await testProvider.record('healthy')).toMatchObject(NO_PATIENCE)
    })

    it('a batch that arrives again takes no slot', async () => {
      const testProvider = await quick(await open())
      const again = () => testProvider.send([run('healthy')], { ...TIGHT, sequence: 1 })
      expect((await again()).waitMs).toBe(1_111)
      expect(await again()).toMatchObject({ duplicate: true, waitMs: 2_222 })
      expect(await again()).toMatchObject({ duplicate: true, waitMs: 2_222 })
    })
  })

  describe('a provider under load whose batches end in failures', () => {
    const failing = async (testProvider: TestProvider, over = {}) => {
      const { generation } = await testProvider.snapshot()
      return testProvider.send([run('healthy', { generation }), run('unhealthy', { generation })], over)
    }

    it('is suspect at the threshold: the version grows once, and everybody is told', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      const { version } = await testProvider.snapshot()
      await failing(testProvider, TIGHT)
      await failing(testProvider, TIGHT)
      expect((await testProvider.snapshot()).version).toBe(version)
      await failing(testProvider, TIGHT)
      const suspect = await testProvider.snapshot()
      expect(suspect).toMatchObject({ state: 'closed', consecutiveFailures: 1, failingBatches: 3 })
      expect(suspect.version).toBeGreaterThan(version)
      await failing(testProvider, TIGHT)
      expect((await testProvider.snapshot()).version).toBe(suspect.version)
    })

    it('is not when a batch between ends well, nor without load', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { version } = await testProvider.snapshot()
      await failing(testProvider, TIGHT)
      await failing(testProvider, TIGHT)
      await testProvider.send(
        [run('healthy', { generation: (await testProvider.snapshot()).generation })],
        TIGHT,
      )
      await failing(testProvider, TIGHT)
      await failing(testProvider, TIGHT)
      expect(await testProvider.snapshot()).toMatchObject({ version, failingBatches: 2 })
      const other = await quick(await open(), { failureThreshold: 3 })
      for (let i = 0; i < 5; i += 1) await failing(other)
      expect((await other.snapshot()).failingBatches).toBe(0)
    })
  })
}
