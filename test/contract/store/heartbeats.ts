import { describe, expect, it } from 'vitest'
import type { TestProvider } from './test-provider.js'
import { FAR_MS, known, quick, QUICK, type TestStore } from './test-provider.js'

/** What a provider says of itself. */
export function heartbeatsContract(open: () => Promise<TestStore>): void {
  const recordHeartbeat = async (
    testProvider: TestProvider,
    progress: number | null = null,
    knownVersion = 0,
  ) =>
    known(
      await testProvider.store.recordHeartbeat(testProvider.id, {
        worker: 'agent-1',
        knownVersion,
        progress,
        notAfterMs: FAR_MS,
      }),
    )

  describe('a heartbeat', () => {
    it('leaves its time, and no progress where it says none', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      expect(await testProvider.snapshot()).toMatchObject({ heartbeatAt: null, heartbeatProgressAt: null })
      await testStore.advance(30)
      await recordHeartbeat(testProvider)
      const first = testStore.nowMs()
      expect(await testProvider.snapshot()).toMatchObject({
        heartbeatAt: first,
        heartbeatProgress: null,
        heartbeatProgressAt: first,
      })
      await testStore.advance(40)
      await recordHeartbeat(testProvider)
      expect(await testProvider.snapshot()).toMatchObject({
        heartbeatAt: first + 40,
        heartbeatProgress: null,
        heartbeatProgressAt: first,
      })
    })

    it('counts any other number as progress, a smaller one too, and the same one not', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const began = testStore.nowMs()
      const seen: [number | null, number | null][] = []
      for (const progress of [5, 5, 6, null, 6, 0, 0]) {
        await testStore.advance(10)
        await recordHeartbeat(testProvider, progress)
        const { heartbeatProgress, heartbeatProgressAt } = await testProvider.snapshot()
        seen.push([heartbeatProgress, (heartbeatProgressAt ?? 0) - began])
      }
      expect(seen).toEqual([
        [5, 10],
        [5, 10],
        [6, 30],
        [6, 30],
        [6, 30],
        [0, 60],
        [0, 60],
      ])
    })

    it('keeps all digits of a large number', async () => {
      const testProvider = await quick(await open())
      await recordHeartbeat(testProvider, 9_999_999_999_999)
      expect((await testProvider.snapshot()).heartbeatProgress).toBe(9_999_999_999_999)
    })

    it('tells nobody, and changes nothing else', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('unhealthy')
      const before = await testProvider.snapshot()
      const reply = await recordHeartbeat(testProvider, 1, before.version)
      expect(reply).toMatchObject({ snapshot: null, events: [] })
      const { heartbeatAt, heartbeatProgress, heartbeatProgressAt, ...after } = await testProvider.snapshot()
      expect(heartbeatAt).toBe(heartbeatProgressAt)
      expect(heartbeatProgress).toBe(1)
      expect(before).toMatchObject(after)
    })

    it('ends a mark whose time has come, as every write does', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('degraded', 50)
      await testStore.advance(50)
      expect((await recordHeartbeat(testProvider)).events.map(({ kind }) => kind)).toEqual(['resumed'])
    })

    it('outlives a reset and other settings, but not a removal', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await recordHeartbeat(testProvider, 3)
      const at = testStore.nowMs()
      await testProvider.reset()
      await testProvider.register({ breaker: { ...QUICK, failureThreshold: 2 } })
      expect(await testProvider.snapshot()).toMatchObject({ heartbeatAt: at, heartbeatProgress: 3 })
      const control = { worker: 'w', knownVersion: 0, actor: '', reason: '', notAfterMs: 9e12 }
      await testProvider.store.remove(testProvider.id, control)
      await testProvider.register()
      expect(await testProvider.snapshot()).toMatchObject({ heartbeatAt: null, heartbeatProgress: null })
    })

    it('that Redis runs too late says nothing of now', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const request = { worker: 'agent-1', knownVersion: 0, progress: 1, notAfterMs: testStore.nowMs() - 1 }
      expect(await testProvider.store.recordHeartbeat(testProvider.id, request)).toMatchObject({
        status: 'late',
      })
      expect((await testProvider.snapshot()).heartbeatAt).toBeNull()
    })

    it('of a provider that nobody registered writes nothing', async () => {
      const testStore = await open()
      const reply = await testStore.store.recordHeartbeat('nobody', {
        worker: 'w',
        knownVersion: 0,
        progress: null,
        notAfterMs: FAR_MS,
      })
      expect(reply).toEqual({ status: 'unknown_provider', nowMs: testStore.nowMs() })
      expect(await testStore.leftovers('nobody')).toEqual([])
    })
  })
}
