import { describe, expect, it } from 'vitest'
import { quick, run, type TestStore } from './test-provider.js'

/** Calls that never enter the history, and yet are counted. */
export function recentCallsContract(open: () => Promise<TestStore>): void {
  describe('client errors', () => {
    it('are counted with what the last one saw, though they are in no history', async () => {
      const testProvider = await quick(await open())
      await testProvider.record('client_error', 213, { detail: 'HTTP 404' })
      const { version } = await testProvider.snapshot()
      await testProvider.record('client_error', 1, { detail: 'HTTP 401' })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        version,
        clientErrors: 214,
        lastClientError: 'HTTP 401',
        historyTotal: 0,
      })
    })

    it('close a half-open circuit, and free the lease of a trial', async () => {
      const testProvider = await quick(await open())
      await testProvider.openAndWait()
      const closed = await testProvider.settle(await testProvider.admit('a'), 'client_error', {}, 'a')
      expect(closed.events).toMatchObject([{ kind: 'closed', reason: '1 successful trial' }])
      expect(closed.snapshot).toMatchObject({ state: 'closed', trials: 0, clientErrors: 1 })
    })

    it('end a run of failures in the order of their batch', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const of = (outcome: 'client_error' | 'unhealthy', count: number) => run(outcome, { count, generation })
      await testProvider.send([of('unhealthy', 2), of('client_error', 1), of('unhealthy', 2)])
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 2 })
    })

    it('leave the count as they leave the window, a window after they came', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, {}, { windowMs: 1_000 })
      await testProvider.record('client_error', 100, { detail: 'HTTP 400' })
      await testStore.advance(1_000)
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 100 })
      await testStore.advance(250)
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 75 })
      await testProvider.record('client_error', 8, { detail: 'HTTP 400' })
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 83 })
      await testStore.advance(750)
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 8 })
      await testStore.advance(1_000)
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 0, lastClientError: '' })
    })

    it('count after an outage by their age, and of an older generation too', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, {}, { windowMs: 1_000 })
      await testProvider.send([
        run('client_error', { count: 5, ageMs: 1_001 }),
        run('client_error', { count: 2, ageMs: 1_000 }),
      ])
      expect(await testProvider.snapshot()).toMatchObject({ clientErrors: 2 })
    })
  })

  describe('calls that were ignored', () => {
    it('are counted with why the last one was, and move no counter of the circuit', async () => {
      const testProvider = await quick(await open())
      await testProvider.record('unhealthy')
      await testProvider.record('ignored', 4, { detail: 'TypeError' })
      await testProvider.record('ignored', 3, { detail: 'aborted' })
      expect(await testProvider.snapshot()).toMatchObject({
        ignored: 7,
        lastIgnored: 'aborted',
        clientErrors: 0,
        consecutiveFailures: 1,
        historyTotal: 1,
      })
    })

    it('leave the count as they leave the window; those of probes are none', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, {}, { windowMs: 1_000 })
      await testProvider.record('ignored', 100, { detail: 'aborted' })
      await testStore.advance(1_250)
      expect(await testProvider.snapshot()).toMatchObject({ ignored: 75 })
      await testStore.advance(1_000)
      expect(await testProvider.snapshot()).toMatchObject({ ignored: 0, lastIgnored: '' })
      const { generation, settingsRevision, markVersion } = await testProvider.snapshot()
      await testProvider.send([
        run('ignored', { origin: 'probe', generation, settingsRevision, markVersion }),
      ])
      expect(await testProvider.snapshot()).toMatchObject({ ignored: 0 })
    })
  })
}
