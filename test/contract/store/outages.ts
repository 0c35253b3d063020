import { describe, expect, it } from 'vitest'
import { control, quick, run, type TestStore, type TestProvider } from './test-provider.js'

/** What failed before an outage of the whole fleet does not add up with what fails after it. */
export function outagesContract(open: () => Promise<TestStore>): void {
  const OUTAGE_MS = 5_000

  /** Two failures of three, then nothing until the store is back. */
  async function afterOutage(): Promise<{
    testStore: TestStore
    testProvider: TestProvider
    generation: number
  }> {
    const testStore = await open()
    const testProvider = await quick(testStore, { failureThreshold: 3 })
    await testProvider.record('unhealthy', 2)
    const { generation } = await testProvider.snapshot()
    await testStore.advance(OUTAGE_MS)
    return { testStore, testProvider, generation }
  }
  const failed = (generation: number) => [run('unhealthy', { generation })]
  /** One ms after the last write. */
  const LOST = { lostMsAgo: OUTAGE_MS - 1 }

  describe('a batch', () => {
    it('that runs after its not_after_ms does nothing, and counts once when it is sent again', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const batch = testProvider.batch(failed(generation), { notAfterMs: testStore.nowMs() })
      await testStore.advance(1)
      const before = await testProvider.snapshot()
      expect(await testProvider.store.record('openai', batch)).toEqual({
        status: 'late',
        nowMs: testStore.nowMs(),
      })
      expect(await testProvider.snapshot()).toEqual(before)
      const again = { ...batch, notAfterMs: testStore.nowMs() }
      expect(await testProvider.store.record('openai', again)).toMatchObject({
        status: 'ok',
        duplicate: false,
      })
      expect(await testProvider.store.record('openai', again)).toMatchObject({
        status: 'ok',
        duplicate: true,
      })
      expect(await testProvider.snapshot()).toMatchObject({ consecutiveFailures: 1, applied: 1 })
    })

    it('late in an everyday way does nothing either', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.record('healthy')
      const { generation, version } = await testProvider.snapshot()
      const late = { knownVersion: version, notAfterMs: testStore.nowMs() - 1 }
      const batch = testProvider.batch(failed(generation), late)
      expect(await testProvider.store.record('openai', batch)).toMatchObject({ status: 'late' })
      expect(await testProvider.snapshot()).toMatchObject({ consecutiveFailures: 0, applied: 1 })
    })
  })

  describe('after an outage of the whole fleet', () => {
    it('the first batch begins both runs of failures anew, then counts', async () => {
      const { testProvider, generation } = await afterOutage()
      await testProvider.send(failed(generation), LOST)
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        consecutiveFailures: 1,
        applied: 3,
      })
    })

    it('the run of failed probes begins anew too', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      for (const token of ['probe-1', 'probe-2']) {
        await testProvider.finish(await testProvider.probe(token), 'unhealthy', {}, token)
      }
      expect((await testProvider.snapshot()).probeConsecutiveFailures).toBe(2)
      await testStore.advance(OUTAGE_MS)
      await testProvider.send([], LOST)
      expect(await testProvider.snapshot()).toMatchObject({ probeConsecutiveFailures: 0, applied: 2 })
    })

    it('each worker that comes back says so, and only the first begins anew', async () => {
      const { testStore, testProvider, generation } = await afterOutage()
      for (const [i, incarnation] of ['life-2', 'life-3', 'life-4'].entries()) {
        await testStore.advance(10)
        const lostMsAgo = LOST.lostMsAgo + 10 * (i + 1)
        await testProvider.send(failed(generation), { incarnation, sequence: 1, lostMsAgo })
      }
      expect(await testProvider.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 3 })
    })

    it('a batch that was applied before the outage, its reply lost, begins anew and is not applied again', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const batch = testProvider.batch([run('unhealthy', { generation, count: 2 })])
      await testProvider.store.record('openai', batch)
      await testStore.advance(OUTAGE_MS)
      const again = await testProvider.store.record('openai', { ...batch, ...LOST, resent: true })
      expect(again).toMatchObject({ duplicate: true, applied: 2 })
      expect(await testProvider.snapshot()).toMatchObject({ consecutiveFailures: 0, historyTotal: 2 })
    })

    it('an idle provider is taken for one that nobody could reach', async () => {
      const { testStore, testProvider, generation } = await afterOutage()
      await testStore.advance(3_600_000)
      await testProvider.send(failed(generation), { lostMsAgo: 100 })
      expect((await testProvider.snapshot()).consecutiveFailures).toBe(1)
    })

    it('an open circuit stays open until the same moment', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { cooldownMs: 60_000 })
      await testProvider.record('unhealthy')
      await testStore.advance(OUTAGE_MS)
      await testProvider.send([], LOST)
      expect(await testProvider.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 60_000 - OUTAGE_MS })
    })
  })

  describe('where only one worker was cut off', () => {
    it('and others wrote since it lost the store, failures add up', async () => {
      const { testProvider, generation } = await afterOutage()
      await testProvider.send(failed(generation), { incarnation: 'life-1', lostMsAgo: OUTAGE_MS })
      expect(await testProvider.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 3 })
    })

    it('a mark that others set is enough to know that they went on', async () => {
      const { testStore, testProvider, generation } = await afterOutage()
      await testProvider.store.mark('openai', { ...control(), mark: 'degraded', forMs: null })
      await testStore.advance(1)
      await testProvider.send(failed(generation), LOST)
      expect((await testProvider.snapshot()).state).toBe('open')
    })
  })

  describe('an outcome that waited for the store', () => {
    const entries = async (testProvider: TestProvider) =>
      (await testProvider.store.history('openai', 100, 0)).map(({ at, status, count }) => [at, status, count])

    it('enters the history at the time at which it happened', async () => {
      const { testStore, testProvider } = await afterOutage()
      const now = testStore.nowMs()
      await testProvider.send([
        run('timeout', { ageMs: 4_000 }),
        run('unhealthy', { ageMs: 700 }),
        run('healthy', { ageMs: 20 }),
        run('healthy', { count: 2, ageMs: 10 }),
      ])
      expect((await entries(testProvider)).slice(1)).toEqual([
        [now - 4_000, 'timeout', 1],
        [now - 700, 'unhealthy', 1],
        [now - 20, 'healthy', 3],
      ])
    })

    it('does so too as the result of an everyday probe', async () => {
      const { testStore, testProvider } = await afterOutage()
      const now = testStore.nowMs()
      const { version } = await testProvider.snapshot()
      const { generation, settingsRevision, markVersion } = await testProvider.probe()
      const begun = { origin: 'probe' as const, generation, settingsRevision, markVersion }
      await testProvider.send([run('healthy', { ...begun, ageMs: 700 })], { knownVersion: version })
      expect((await entries(testProvider)).slice(1)).toEqual([[now - 700, 'healthy', 1]])
    })

    it('never enters before the newest that is there', async () => {
      const { testStore, testProvider } = await afterOutage()
      const now = testStore.nowMs()
      await testProvider.send([run('timeout', { ageMs: 1_000 })])
      await testProvider.send([run('degraded', { ageMs: 3_000 })], { incarnation: 'life-2', sequence: 1 })
      expect((await entries(testProvider)).slice(1)).toEqual([
        [now - 1_000, 'timeout', 1],
        [now - 1_000, 'degraded', 1],
      ])
    })

    it('counts for the rest of its window only', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, {}, { windowMs: 1_000 })
      await testProvider.send([run('timeout', { ageMs: 5_000 }), run('unhealthy', { ageMs: 900, count: 2 })])
      expect((await testProvider.snapshot()).historyTotal).toBe(2)
      await testStore.advance(101)
      expect(await testProvider.snapshot()).toMatchObject({ historyTotal: 0, applied: 3 })
    })
  })
}
