import { describe, expect, it } from 'vitest'
import { quick, run, type TestStore } from './test-provider.js'

const BY_CODE = { worker: 'w', knownVersion: 0, actor: '', reason: '', notAfterMs: 9e12 }

/** An outage of a provider: from the first opening until the circuit closes. */
export function outageRecordsContract(open: () => Promise<TestStore>): void {
  const outages = (testStore: TestStore, count = 100) => testStore.store.outages('openai', count)

  describe('an outage', () => {
    it('are the last 100 that ended', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      for (let i = 0; i <= 100; i += 1) {
        await testProvider.trip(null)
        await testProvider.reset()
      }
      expect(await outages(testStore, 1_000)).toHaveLength(100)
    })

    it('keeps its beginning and first reason through trials that fail, and is kept once the circuit closed', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 2 })
      const from = testStore.nowMs()
      await testProvider.record('unhealthy', 2, { detail: 'HTTP 503' })
      const reason = '2 consecutive failures, last: unhealthy (HTTP 503)'
      await testStore.advance(1_000)
      await testProvider.settle(await testProvider.admit('a'), 'timeout', {}, 'a')
      await testStore.advance(1_000)
      const failed = await testProvider.settle(await testProvider.admit('b'), 'timeout', {}, 'b')
      const begun = {
        outageSince: from,
        outageReason: reason,
        outageBy: 'rule',
        outageTrials: 2,
        outageDoomed: 2,
      }
      expect(failed.snapshot).toMatchObject({
        ...begun,
        openedAt: from + 2_000,
        reason: 'trial failed: timeout',
      })
      expect(await outages(testStore)).toEqual([])
      await testStore.advance(1_000)
      const closed = await testProvider.settle(await testProvider.admit('c'), 'healthy', {}, 'c')
      expect(closed.snapshot).toMatchObject({
        outageSince: null,
        outageReason: '',
        outageBy: '',
        outageTrials: 0,
        outageDoomed: 0,
      })
      expect(await outages(testStore)).toEqual([
        { from, to: from + 3_000, reason, trials: 2, doomed: 2, by: 'rule' },
      ])
    })

    it('is counted with every other transition, and so is its length: totals that only grow', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 1 })
      await testProvider.record('timeout')
      await testStore.advance(1_000)
      await testProvider.settle(await testProvider.admit('a'), 'timeout', {}, 'a')
      await testStore.advance(1_500)
      expect(await testProvider.snapshot()).toMatchObject({ openedTotal: 2, openMsTotal: 2_500 })
      await testProvider.settle(await testProvider.admit('b'), 'healthy', {}, 'b')
      await testStore.advance(5_000)
      await testProvider.trip(null)
      await testStore.advance(500)
      await testProvider.reset()
      await testStore.advance(5_000)
      expect(await testProvider.snapshot()).toMatchObject({
        openedTotal: 3,
        halfOpenedTotal: 2,
        closedTotal: 1,
        resetTotal: 1,
        openMsTotal: 3_000,
      })
    })

    it('counts all that failed in it: what was under way, and what came too late to decide', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      await testProvider.record('unhealthy', 5)
      await testProvider.send([run('timeout', { generation, count: 4 }), run('healthy', { generation })])
      expect(await testProvider.snapshot()).toMatchObject({ outageTrials: 0, outageDoomed: 6 })
      await testProvider.reset()
      expect(await outages(testStore)).toMatchObject([{ doomed: 6, trials: 0 }])
    })

    it('that a person began is of the hand, and stays so when a trial fails', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.trip(1_000)
      expect(await testProvider.snapshot()).toMatchObject({ outageBy: 'hand', outageReason: 'a test' })
      await testStore.advance(1_000)
      await testProvider.record('unhealthy')
      expect(await testProvider.snapshot()).toMatchObject({
        outageBy: 'hand',
        outageTrials: 1,
        outageDoomed: 1,
      })
      await testProvider.trip(1_000)
      expect(await testProvider.snapshot()).toMatchObject({ outageBy: 'hand', outageTrials: 1 })
      await testProvider.reset()
      expect(await outages(testStore)).toMatchObject([{ by: 'hand', reason: 'a test', trials: 1 }])
    })

    it('is none where a closed circuit is reset', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.reset()
      expect(await outages(testStore)).toEqual([])
    })

    it('comes back after a wipe as it was known', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('unhealthy')
      await testStore.advance(1_000)
      const { snapshot: restore } = await testProvider.record('timeout')
      await testStore.store.remove('openai', BY_CODE)
      const { snapshot } = await testProvider.register({}, { restore })
      const { outageSince, outageReason, outageTrials } = restore ?? {}
      expect(outageTrials).toBe(1)
      expect(snapshot).toMatchObject({ outageSince, outageReason, outageTrials, outageBy: 'rule' })
    })

    it('is kept among the last hundred, the newest first to be asked for', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const began: number[] = []
      for (let i = 0; i < 102; i += 1) {
        began.push(testStore.nowMs())
        await testProvider.record('unhealthy')
        await testStore.advance(10)
        await testProvider.reset()
      }
      expect((await outages(testStore)).map(({ from }) => from)).toEqual(began.slice(2))
      expect((await outages(testStore, 2)).map(({ from }) => from)).toEqual(began.slice(-2))
      await testStore.store.remove('openai', BY_CODE)
      expect(await testStore.leftovers('openai')).toEqual([])
      expect(await outages(testStore)).toEqual([])
    })
  })
}
