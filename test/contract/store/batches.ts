import { describe, expect, it } from 'vitest'
import { known, quick, run, type TestStore } from './test-provider.js'

/** A batch of outcomes is applied once, however often it arrives. */
export function batchesContract(open: () => Promise<TestStore>): void {
  describe('a batch', () => {
    it('that arrives again changes nothing, and says so', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const batch = testProvider.batch([run('unhealthy', { count: 2, generation })])
      expect(known(await testProvider.store.record('openai', batch))).toMatchObject({
        duplicate: false,
        applied: 2,
      })
      const before = await testProvider.snapshot()
      const again = known(await testProvider.store.record('openai', { ...batch, resent: true }))
      expect(again).toMatchObject({ duplicate: true, outdated: 0, dropped: 0, applied: 2, events: [] })
      expect(known(await testProvider.store.record('openai', batch)).duplicate).toBe(true)
      expect(await testProvider.snapshot()).toEqual(before)
    })

    it('older than the last one applied is one that was applied', async () => {
      const testProvider = await quick(await open())
      await testProvider.send([], { sequence: 7 })
      expect((await testProvider.send([run('unhealthy')], { sequence: 6 })).duplicate).toBe(true)
      expect((await testProvider.snapshot()).applied).toBe(0)
    })

    it('that was sent again and not applied before is applied as any other', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      await testProvider.send([run('healthy', { generation })])
      const reply = await testProvider.send([run('unhealthy', { generation, count: 2 })], { resent: true })
      expect(reply).toMatchObject({ duplicate: false, outdated: 0 })
      expect((await testProvider.snapshot()).consecutiveFailures).toBe(2)
    })

    it('of a process that the book does not know, sent again, is history only', async () => {
      const testProvider = await quick(await open())
      const { generation } = await testProvider.snapshot()
      const runs = [
        run('unhealthy', { generation, count: 2 }),
        run('throttled', { generation, retryAfterMs: 50 }),
      ]
      const reply = await testProvider.send(runs, { incarnation: 'forgotten', sequence: 40, resent: true })
      expect(reply).toMatchObject({ duplicate: false, outdated: 3, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        throttledForMs: 0,
        historyTotal: 2,
      })
      // From here on the book knows it.
      const next = await testProvider.send([run('unhealthy', { generation })], {
        incarnation: 'forgotten',
        sequence: 41,
      })
      expect(next).toMatchObject({ outdated: 0 })
      expect((await testProvider.snapshot()).state).toBe('open')
    })

    it('of another life of a process is another batch, whatever its number', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      for (const incarnation of ['life-1', 'life-2', 'life-3']) {
        const reply = await testProvider.send([run('unhealthy', { generation })], {
          incarnation,
          sequence: 1,
        })
        expect(reply.duplicate).toBe(false)
      }
      expect(await testProvider.snapshot()).toMatchObject({ state: 'open', consecutiveFailures: 3 })
    })

    it('may bear several generations; each outcome is judged by its own', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const reply = await testProvider.send([
        run('unhealthy', { generation, count: 2 }),
        run('healthy', { generation: generation - 1, count: 4 }),
        run('timeout', { generation }),
      ])
      expect(reply).toMatchObject({ outdated: 4, dropped: 0 })
      expect(reply.snapshot).toMatchObject({ state: 'open', consecutiveFailures: 3, historyTotal: 7 })
      expect(reply.snapshot).toMatchObject({ historyHealthy: 4, applied: 7 })
    })
  })
}
