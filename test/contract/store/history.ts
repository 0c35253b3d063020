import { describe, expect, it } from 'vitest'
import { OUTCOMES, type HealthStatus } from '../../../src/model/words.js'
import { quick, run, type Ground, type Subject } from './subject.js'

/** The sliding history: exact counts in a window, whatever the rate. */
export function historyContract(open: () => Promise<Ground>): void {
  /** A breaker out of the way; outcomes of any generation enter the history. */
  const historian = (ground: Ground, history: Parameters<typeof quick>[2]) =>
    quick(ground, { failureThreshold: 1_000_000 }, history)
  const entries = async (subject: Subject) =>
    (await subject.store.history('openai', 1_000_000, 0)).map(({ status, count }) => [status, count])
  const alternating = (count: number) =>
    Array.from({ length: count }, (_, i) => run(i % 2 === 0 ? 'healthy' : 'unhealthy'))

  describe('the history', () => {
    it('counts what is exactly as old as the window, and nothing older', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 1_000 })
      await subject.record('unhealthy', 3)
      await ground.advance(400)
      await subject.record('healthy', 2)
      await ground.advance(600)
      expect(await subject.snapshot()).toMatchObject({
        historyTotal: 5,
        historyHealthy: 2,
        windowCoveredMs: 1_000,
      })
      await ground.advance(1)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 2, historyHealthy: 2 })
      await ground.advance(399)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 2, historyHealthy: 2 })
      await ground.advance(1)
      expect(await subject.snapshot()).toMatchObject({
        historyTotal: 0,
        historyHealthy: 0,
        windowCoveredMs: 1_000,
      })
    })

    it('counts the same after a writer has taken out what was stale', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 1_000 })
      await subject.record('unhealthy', 3)
      await ground.advance(600)
      await subject.record('healthy', 2)
      await ground.advance(401)
      await subject.record('timeout')
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 3, historyHealthy: 2 })
      expect(await entries(subject)).toEqual([
        ['healthy', 2],
        ['timeout', 1],
      ])
      await ground.advance(5_000)
      await subject.record('degraded')
      expect(await entries(subject)).toEqual([['degraded', 1]])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 1, historyHealthy: 0 })
    })

    it('keeps what is exactly as old as the window when a writer comes, also if that is the newest', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 1_000 })
      await subject.record('unhealthy', 3)
      await ground.advance(1_000)
      await subject.record('healthy')
      expect(await entries(subject)).toEqual([
        ['unhealthy', 3],
        ['healthy', 1],
      ])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 4, historyHealthy: 1 })
    })

    it('takes outcomes of every health, and none that says nothing about health', async () => {
      const subject = await historian(await open(), {})
      await subject.send(OUTCOMES.map((outcome) => run(outcome)))
      expect(await entries(subject)).toEqual([
        ['healthy', 1],
        ['degraded', 1],
        ['unhealthy', 1],
        ['timeout', 1],
        ['terminated', 1],
      ])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 1, applied: 8 })
    })

    it('lets a run grow while it is the newest and younger than a 200th of the window', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 60_000 })
      const began = ground.nowMs()
      await subject.record('healthy', 2)
      await ground.advance(299)
      await subject.record('healthy', 3)
      expect(await subject.store.history('openai', 10, 0)).toEqual([
        { at: began, status: 'healthy', count: 5 },
      ])
      await ground.advance(1)
      await subject.record('healthy', 4)
      expect(await subject.store.history('openai', 10, 0)).toEqual([
        { at: began, status: 'healthy', count: 5 },
        { at: began + 300, status: 'healthy', count: 4 },
      ])
    })

    it('begins a run for another status, also in the same ms', async () => {
      const subject = await historian(await open(), {})
      await subject.send([run('healthy'), run('healthy', { count: 2 }), run('timeout'), run('healthy')])
      expect(await entries(subject)).toEqual([
        ['healthy', 3],
        ['timeout', 1],
        ['healthy', 1],
      ])
    })

    it('keeps the order of more than nine runs in one ms', async () => {
      const subject = await historian(await open(), {})
      await subject.send(alternating(25))
      const expected = Array.from({ length: 25 }, (_, i) => [i % 2 === 0 ? 'healthy' : 'unhealthy', 1])
      expect(await entries(subject)).toEqual(expected)
    })

    it('gives the newest runs that began in time, the oldest first', async () => {
      const ground = await open()
      const subject = await historian(ground, {})
      const began = ground.nowMs()
      for (const status of ['healthy', 'timeout', 'degraded'] as const) {
        await subject.record(status)
        await ground.advance(10)
      }
      const statuses = async (count: number, sinceMs: number) =>
        (await subject.store.history('openai', count, sinceMs)).map(({ status }) => status)
      expect(await statuses(2, 0)).toEqual(['timeout', 'degraded'])
      expect(await statuses(10, began + 10)).toEqual(['timeout', 'degraded'])
      expect(await statuses(10, began + 11)).toEqual(['degraded'])
      expect(await statuses(0, 0)).toEqual([])
    })
  })

  describe('maxRecords', () => {
    it('takes the oldest outcomes, and splits a run for it', async () => {
      const ground = await open()
      const subject = await historian(ground, { maxRecords: 5 })
      await subject.record('healthy', 4)
      await ground.advance(1)
      await subject.record('timeout', 3)
      expect(await entries(subject)).toEqual([
        ['healthy', 2],
        ['timeout', 3],
      ])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 2 })
      await subject.record('degraded', 4)
      expect(await entries(subject)).toEqual([
        ['timeout', 1],
        ['degraded', 4],
      ])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 0 })
    })

    it('holds for a single run too', async () => {
      const subject = await historian(await open(), { maxRecords: 5 })
      await subject.record('healthy', 12)
      expect(await entries(subject)).toEqual([['healthy', 5]])
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 5, historyHealthy: 5 })
    })

    it('says how much of the window is left, once it has cut', async () => {
      const ground = await open()
      const subject = await historian(ground, { maxRecords: 4, windowMs: 10_000 })
      await subject.record('healthy', 2)
      await ground.advance(1_000)
      await subject.record('timeout')
      expect((await subject.snapshot()).windowCoveredMs).toBe(10_000)
      await ground.advance(1_000)
      await subject.record('healthy', 2)
      await ground.advance(500)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 4, windowCoveredMs: 2_500 })
      await subject.record('degraded', 3)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 4, windowCoveredMs: 500 })
      await ground.advance(9_501)
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 3, windowCoveredMs: 10_000 })
    })
  })

  describe('at a high rate of alternating outcomes', () => {
    it('the runs stay few, the counts stay exact, and what is recent stays in order', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 60_000 })
      let sent = 0
      for (let i = 0; i < 40; i += 1) {
        await subject.send(alternating(500))
        sent += 500
        const { historyTotal, historyHealthy } = await subject.snapshot()
        expect([historyTotal, historyHealthy]).toEqual([sent, sent / 2])
        await ground.advance(100)
      }
      const kept = await subject.store.history('openai', 1_000_000, 0)
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
      const subject = await historian(await open(), { windowMs: 60_000 })
      const kept = async () => (await subject.store.history('openai', 1_000_000, 0)).length
      await subject.send(alternating(1_000))
      expect(await kept()).toBe(1_000)
      await subject.send(alternating(1))
      // 501 of one moment became two, one per status.
      expect(await kept()).toBe(500 + 2)
    })

    it('the window slides with exact counts and bounded memory, for three windows', async () => {
      const ground = await open()
      const subject = await historian(ground, { windowMs: 2_000 })
      for (let i = 0; i <= 600; i += 1) {
        await subject.send(alternating(100))
        if (i % 100 === 0) {
          // A bucket is 10 ms, as is a step: what leaves the window are whole buckets.
          const inWindow = 100 * Math.min(i + 1, 201)
          expect(await subject.snapshot()).toMatchObject({
            historyTotal: inWindow,
            historyHealthy: inWindow / 2,
            windowCoveredMs: 2_000,
          })
          const { length } = await subject.store.history('openai', 1_000_000, 0)
          expect(length).toBeLessThanOrEqual(2 * 201 + 750 + 100)
        }
        await ground.advance(10)
      }
    })

    it('maxRecords still takes the oldest, out of coalesced runs too', async () => {
      const subject = await historian(await open(), { maxRecords: 3_000 })
      for (let i = 0; i < 10; i += 1) await subject.send(alternating(500))
      expect(await subject.snapshot()).toMatchObject({ historyTotal: 3_000 })
      const kept = await subject.store.history('openai', 1_000_000, 0)
      expect(kept.reduce((sum, entry) => sum + entry.count, 0)).toBe(3_000)
      const healthy = kept.filter((entry) => entry.status === 'healthy')
      expect((await subject.snapshot()).historyHealthy).toBe(
        healthy.reduce((sum, { count }) => sum + count, 0),
      )
    })
  })
}
