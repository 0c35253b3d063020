import { describe, expect, it } from 'vitest'
import { OUTCOMES, type HealthStatus } from '../../../src/model/words.js'
import { quick, run, type TestStore, type TestProvider } from './test-provider.js'

/** The sliding history: exact counts in a window, whatever the rate. */
export function historyContract(open: () => Promise<TestStore>): void {
  /** A breaker out of the way; outcomes of any generation enter the history. */
  const historian = (testStore: TestStore, history: Parameters<typeof quick>[2]) =>
    quick(testStore, { failureThreshold: 1_000_000 }, history)
  const entries = async (testProvider: TestProvider) =>
    (await testProvider.store.history('openai', 1_000_000, 0)).map(({ status, count }) => [status, count])
  const alternating = (count: number) =>
    Array.from({ length: count }, (_, i) => run(i % 2 === 0 ? 'healthy' : 'unhealthy'))

  describe('the history', () => {
    it('counts what is exactly as old as the window, and nothing older', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 1_000 })
      await testProvider.record('unhealthy', 3)
      await testStore.advance(400)
      await testProvider.record('healthy', 2)
      await testStore.advance(600)
      expect(await testProvider.snapshot()).toMatchObject({
        historyTotal: 5,
        historyHealthy: 2,
        windowCoveredMs: 1_000,
      })
      await testStore.advance(1)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 2, historyHealthy: 2 })
      await testStore.advance(399)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 2, historyHealthy: 2 })
      await testStore.advance(1)
      expect(await testProvider.snapshot()).toMatchObject({
        historyTotal: 0,
        historyHealthy: 0,
        windowCoveredMs: 1_000,
      })
    })

    it('counts the same after a writer has taken out what was stale', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 1_000 })
      await testProvider.record('unhealthy', 3)
      await testStore.advance(600)
      await testProvider.record('healthy', 2)
      await testStore.advance(401)
      await testProvider.record('timeout')
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 3, historyHealthy: 2 })
      expect(await entries(testProvider)).toEqual([
        ['healthy', 2],
        ['timeout', 1],
      ])
      await testStore.advance(5_000)
      await testProvider.record('degraded')
      expect(await entries(testProvider)).toEqual([['degraded', 1]])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 1, historyHealthy: 0 })
    })

    it('keeps what is exactly as old as the window when a writer comes, also if that is the newest', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 1_000 })
      await testProvider.record('unhealthy', 3)
      await testStore.advance(1_000)
      await testProvider.record('healthy')
      expect(await entries(testProvider)).toEqual([
        ['unhealthy', 3],
        ['healthy', 1],
      ])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 4, historyHealthy: 1 })
    })

    it('takes outcomes of every health, and none that says nothing about health', async () => {
      const testProvider = await historian(await open(), {})
      await testProvider.send(OUTCOMES.map((outcome) => run(outcome)))
      expect(await entries(testProvider)).toEqual([
        ['healthy', 1],
        ['degraded', 1],
        ['unhealthy', 1],
        ['timeout', 1],
        ['terminated', 1],
      ])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 1, applied: 8 })
    })

    it('lets a run grow while it is the newest and younger than a 200th of the window', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 60_000 })
      const began = testStore.nowMs()
      await testProvider.record('healthy', 2)
      await testStore.advance(299)
      await testProvider.record('healthy', 3)
      expect(await testProvider.store.history('openai', 10, 0)).toEqual([
        { at: began, status: 'healthy', count: 5 },
      ])
      await testStore.advance(1)
      await testProvider.record('healthy', 4)
      expect(await testProvider.store.history('openai', 10, 0)).toEqual([
        { at: began, status: 'healthy', count: 5 },
        { at: began + 300, status: 'healthy', count: 4 },
      ])
    })

    it('begins a run for another status, also in the same ms', async () => {
      const testProvider = await historian(await open(), {})
      await testProvider.send([run('healthy'), run('healthy', { count: 2 }), run('timeout'), run('healthy')])
      expect(await entries(testProvider)).toEqual([
        ['healthy', 3],
        ['timeout', 1],
        ['healthy', 1],
      ])
    })

    it('keeps the order of more than nine runs in one ms', async () => {
      const testProvider = await historian(await open(), {})
      await testProvider.send(alternating(25))
      const expected = Array.from({ length: 25 }, (_, i) => [i % 2 === 0 ? 'healthy' : 'unhealthy', 1])
      expect(await entries(testProvider)).toEqual(expected)
    })

    it('gives the newest runs that began in time, the oldest first', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, {})
      const began = testStore.nowMs()
      for (const status of ['healthy', 'timeout', 'degraded'] as const) {
        await testProvider.record(status)
        await testStore.advance(10)
      }
      const statuses = async (count: number, sinceMs: number) =>
        (await testProvider.store.history('openai', count, sinceMs)).map(({ status }) => status)
      expect(await statuses(2, 0)).toEqual(['timeout', 'degraded'])
      expect(await statuses(10, began + 10)).toEqual(['timeout', 'degraded'])
      expect(await statuses(10, began + 11)).toEqual(['degraded'])
      expect(await statuses(0, 0)).toEqual([])
    })
  })

  describe('maxRecords', () => {
    it('takes the oldest outcomes, and splits a run for it', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { maxRecords: 5 })
      await testProvider.record('healthy', 4)
      await testStore.advance(1)
      await testProvider.record('timeout', 3)
      expect(await entries(testProvider)).toEqual([
        ['healthy', 2],
        ['timeout', 3],
      ])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 2 })
      await testProvider.record('degraded', 4)
      expect(await entries(testProvider)).toEqual([
        ['timeout', 1],
        ['degraded', 4],
      ])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 0 })
    })

    it('holds for a single run too', async () => {
      const testProvider = await historian(await open(), { maxRecords: 5 })
      await testProvider.record('healthy', 12)
      expect(await entries(testProvider)).toEqual([['healthy', 5]])
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 5 })
    })

    it('says how much of the window is left, once it has cut', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { maxRecords: 4, windowMs: 10_000 })
      await testProvider.record('healthy', 2)
      await testStore.advance(1_000)
      await testProvider.record('timeout')
      expect((await testProvider.snapshot()).windowCoveredMs).toBe(10_000)
      await testStore.advance(1_000)
      await testProvider.record('healthy', 2)
      await testStore.advance(500)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 4, windowCoveredMs: 2_500 })
      await testProvider.record('degraded', 3)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 4, windowCoveredMs: 500 })
      await testStore.advance(9_501)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 3, windowCoveredMs: 10_000 })
    })
  })

  describe('at a high rate of alternating outcomes', () => {
    it('the runs stay few, the counts stay exact, and what is recent stays in order', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 60_000 })
      let sent = 0
      for (let i = 0; i < 40; i += 1) {
        await testProvider.send(alternating(500))
        sent += 500
        const { historyTotal, historyHealthy } = await testProvider.snapshot()
        expect([historyTotal, historyHealthy]).toEqual([sent, sent / 2])
        await testStore.advance(100)
      }
      const kept = await testProvider.store.history('openai', 1_000_000, 0)
      // 750 may be as they came before a write coalesces, 500 come with it, and 14 buckets have passed.
      expect(kept.length).toBeLessThanOrEqual(750 + 500 + 2 * 14)
      const counted = (status: HealthStatus) =>
        kept.filter((entry) => entry.status === status).reduce((sum, entry) => sum + entry.count, 0)
      expect([counted('healthy'), counted('unhealthy')]).toEqual([sent / 2, sent / 2])
      const recent = kept.slice(-500)
      expect(recent.every((entry) => entry.count === 1)).toBe(true)
      const status = (i: number) => (i % 2 === 0 ? 'healthy' : 'unhealthy')
      expect(recent.map((entry) => entry.status)).toEqual(recent.map((_, i) => status(i)))
      const ages = kept.map((entry) => entry.at)
      expect(ages).toEqual([...ages].sort((a, b) => a - b))
    })

    it('begins to coalesce above 1 000 runs, and leaves the newest 500 as they are', async () => {
      const testProvider = await historian(await open(), { windowMs: 60_000 })
      const kept = async () => (await testProvider.store.history('openai', 1_000_000, 0)).length
      await testProvider.send(alternating(1_000))
      expect(await kept()).toBe(1_000)
      await testProvider.send(alternating(1))
      // 501 of one moment became two, one per status.
      expect(await kept()).toBe(500 + 2)
    })

    it('the window slides with exact counts and bounded memory, for three windows', async () => {
      const testStore = await open()
      const testProvider = await historian(testStore, { windowMs: 2_000 })
      for (let i = 0; i <= 600; i += 1) {
        await testProvider.send(alternating(100))
        if (i % 100 === 0) {
          // A bucket is 10 ms, as is a step: what leaves the window are whole buckets.
          const inWindow = 100 * Math.min(i + 1, 201)
          expect(await testProvider.snapshot()).toMatchObject({
            historyTotal: inWindow,
            historyHealthy: inWindow / 2,
            windowCoveredMs: 2_000,
          })
          const { length } = await testProvider.store.history('openai', 1_000_000, 0)
          expect(length).toBeLessThanOrEqual(2 * 201 + 750 + 100)
        }
        await testStore.advance(10)
      }
    })

    it('maxRecords still takes the oldest, out of coalesced runs too', async () => {
      const testProvider = await historian(await open(), { maxRecords: 3_000 })
      for (let i = 0; i < 10; i += 1) await testProvider.send(alternating(500))
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 3_000 })
      const kept = await testProvider.store.history('openai', 1_000_000, 0)
      expect(kept.reduce((sum, entry) => sum + entry.count, 0)).toBe(3_000)
      const healthy = kept.filter((entry) => entry.status === 'healthy')
      expect((await testProvider.snapshot()).historyHealthy).toBe(
        healthy.reduce((sum, { count }) => sum + count, 0),
      )
    })
  })
}
