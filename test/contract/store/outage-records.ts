import { describe, expect, it } from 'vitest'
import { quick, run, type Ground } from './subject.js'

const BY_CODE = { worker: 'w', knownVersion: 0, actor: '', reason: '', notAfterMs: 9e12 }

/** An outage of a provider: from the first opening until the circuit closes. */
export function outageRecordsContract(open: () => Promise<Ground>): void {
  const outages = (ground: Ground, count = 100) => ground.store.outages('openai', count)

  describe('an outage', () => {
    it('are the last 100 that ended', async () => {
      const ground = await open()
      const subject = await quick(ground)
      for (let i = 0; i <= 100; i += 1) {
        await subject.trip(null)
        await subject.reset()
      }
      expect(await outages(ground, 1_000)).toHaveLength(100)
    })

    it('keeps its beginning and first reason through trials that fail, and is kept once the circuit closed', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 2 })
      const from = ground.nowMs()
      await subject.record('unhealthy', 2, { detail: 'HTTP 503' })
      const reason = '2 consecutive failures, last: unhealthy (HTTP 503)'
      await ground.advance(1_000)
      await subject.settle(await subject.admit('a'), 'timeout', {}, 'a')
      await ground.advance(1_000)
      const failed = await subject.settle(await subject.admit('b'), 'timeout', {}, 'b')
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
      expect(await outages(ground)).toEqual([])
      await ground.advance(1_000)
      const closed = await subject.settle(await subject.admit('c'), 'healthy', {}, 'c')
      expect(closed.snapshot).toMatchObject({
        outageSince: null,
        outageReason: '',
        outageBy: '',
        outageTrials: 0,
        outageDoomed: 0,
      })
      expect(await outages(ground)).toEqual([
        { from, to: from + 3_000, reason, trials: 2, doomed: 2, by: 'rule' },
      ])
    })

    it('counts all that failed in it: what was under way, and what came too late to decide', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      const { generation } = await subject.snapshot()
      await subject.record('unhealthy', 5)
      await subject.send([run('timeout', { generation, count: 4 }), run('healthy', { generation })])
      expect(await subject.snapshot()).toMatchObject({ outageTrials: 0, outageDoomed: 6 })
      await subject.reset()
      expect(await outages(ground)).toMatchObject([{ doomed: 6, trials: 0 }])
    })

    it('that a person began is of the hand, and stays so when a trial fails', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.trip(1_000)
      expect(await subject.snapshot()).toMatchObject({ outageBy: 'hand', outageReason: 'a test' })
      await ground.advance(1_000)
      await subject.record('unhealthy')
      expect(await subject.snapshot()).toMatchObject({ outageBy: 'hand', outageTrials: 1, outageDoomed: 1 })
      await subject.trip(1_000)
      expect(await subject.snapshot()).toMatchObject({ outageBy: 'hand', outageTrials: 1 })
      await subject.reset()
      expect(await outages(ground)).toMatchObject([{ by: 'hand', reason: 'a test', trials: 1 }])
    })

    it('is none where a closed circuit is reset', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.reset()
      expect(await outages(ground)).toEqual([])
    })

    it('comes back after a wipe as it was known', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('unhealthy')
      await ground.advance(1_000)
      const { snapshot: restore } = await subject.record('timeout')
      await ground.store.remove('openai', BY_CODE)
      const { snapshot } = await subject.register({}, { restore })
      const { outageSince, outageReason, outageTrials } = restore ?? {}
      expect(outageTrials).toBe(1)
      expect(snapshot).toMatchObject({ outageSince, outageReason, outageTrials, outageBy: 'rule' })
    })

    it('is kept among the last hundred, the newest first to be asked for', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const began: number[] = []
      for (let i = 0; i < 102; i += 1) {
        began.push(ground.nowMs())
        await subject.record('unhealthy')
        await ground.advance(10)
        await subject.reset()
      }
      expect((await outages(ground)).map(({ from }) => from)).toEqual(began.slice(2))
      expect((await outages(ground, 2)).map(({ from }) => from)).toEqual(began.slice(-2))
      await ground.store.remove('openai', BY_CODE)
      expect(await ground.leftovers('openai')).toEqual([])
      expect(await outages(ground)).toEqual([])
    })
  })
}
