import { describe, expect, it } from 'vitest'
import { control, known, quick, run, type TestProvider, type TestStore } from './test-provider.js'

/** Calls by worker, counted while somebody looks at them. */
export function viewsContract(open: () => Promise<TestStore>): void {
  const look = async ({ store, id }: TestProvider) =>
    known(await store.view(id, { worker: 'screen', knownVersion: 0 }))
  const rows = async (testProvider: TestProvider) =>
    (await look(testProvider)).tallies.map(({ worker, calls, failures }) => [worker, calls, failures])
  const by = (worker: string, viewed = true) => ({ worker, viewed, incarnation: `life of ${worker}` })

  describe('a viewer of the workers', () => {
    it('sees calls and failures of each since it began to look, and nothing from before', async () => {
      const testStore = await open()
      const provider = await quick(testStore, { failureThreshold: 50 })
      await provider.send([run('unhealthy')], by('b'))
      const { sinceMs, tallies } = await look(provider)
      expect([sinceMs, tallies]).toEqual([testStore.nowMs(), []])
      const mixed = [run('healthy', { count: 3 }), run('timeout'), run('client_error'), run('throttled')]
      await provider.send([...mixed, run('ignored'), run('unhealthy', { origin: 'probe' })], by('b'))
      await testStore.advance(400)
      await provider.send([run('healthy')], by('b'))
      await provider.send([run('terminated', { count: 2 })], by('a'))
      const lastAt = testStore.nowMs()
      expect((await look(provider)).tallies).toEqual([
        { worker: 'a', calls: 2, failures: 2, inARow: 2, lastAt },
        { worker: 'b', calls: 7, failures: 1, inARow: 0, lastAt },
      ])
    })

    it('is told of in the snapshot; its coming and its leaving are announced, its staying is not', async () => {
      const testStore = await open()
      const provider = await quick(testStore)
      const before = await provider.snapshot()
      await look(provider)
      const first = await provider.snapshot()
      expect([before.viewedForMs, first.viewedForMs]).toEqual([0, 30_000])
      expect(first.version).toBeGreaterThan(before.version)
      await testStore.advance(9_999)
      await look(provider)
      expect(await provider.snapshot()).toMatchObject({ viewedForMs: 20_001, version: first.version })
      await testStore.advance(1)
      await look(provider)
      expect(await provider.snapshot()).toMatchObject({ viewedForMs: 30_000, version: first.version })
      await testStore.advance(29_999)
      await provider.send([run('healthy')], by('a'))
      expect(await provider.snapshot()).toMatchObject({ viewedForMs: 1, version: first.version })
      await testStore.advance(1)
      // The first batch that finds nobody there says so; those that have heard of it do nothing more.
      const told = await provider.send([run('healthy')], { ...by('a'), knownVersion: first.version })
      expect(told.snapshot).toMatchObject({ viewedForMs: 0 })
      const gone = told.snapshot?.version ?? 0
      expect(gone).toBeGreaterThan(first.version)
      await provider.send([run('healthy')], by('b'))
      expect((await provider.snapshot()).version).toBe(gone)
      // A viewer that comes back begins anew.
      expect(await look(provider)).toMatchObject({ sinceMs: testStore.nowMs(), tallies: [] })
    })

    it('begins anew where nobody noticed that the last one had left', async () => {
      const testStore = await open()
      const provider = await quick(testStore)
      await look(provider)
      await provider.send([run('healthy')], by('a'))
      await testStore.advance(30_000)
      expect(await look(provider)).toMatchObject({ sinceMs: testStore.nowMs(), tallies: [] })
    })

    it('counts what a worker sends that has heard of it, once, and none that may have counted before', async () => {
      const testStore = await open()
      const provider = await quick(testStore)
      await look(provider)
      await provider.send([run('healthy')], by('deaf', false))
      const batch = provider.batch([run('healthy')], by('a'))
      await testStore.store.record('openai', batch)
      await testStore.store.record('openai', { ...batch, resent: true })
      await provider.send([run('healthy')], { ...by('b'), resent: true })
      await provider.send([run('healthy', { ageMs: 29_999 }), run('healthy', { ageMs: 30_000 })], by('c'))
      expect(await rows(provider)).toEqual([
        ['a', 1, 0],
        ['c', 1, 0],
      ])
    })

    it('sees the last 30 to 60 s, and forgets workers that are silent', async () => {
      const testStore = await open()
      const provider = await quick(testStore, { failureThreshold: 50 })
      const wait = async (ms: number) => {
        for (let left = ms; left > 0; left -= 15_000) {
          await testStore.advance(Math.min(15_000, left))
          await look(provider)
        }
      }
      await look(provider)
      await provider.send([run('unhealthy')], by('a'))
      await provider.send([run('unhealthy')], by('gone'))
      await wait(30_000)
      await provider.send([run('healthy', { count: 2 })], by('a'))
      expect(await rows(provider)).toEqual([
        ['a', 3, 1],
        ['gone', 1, 1],
      ])
      await wait(29_999)
      expect(await rows(provider)).toEqual([
        ['a', 3, 1],
        ['gone', 1, 1],
      ])
      await wait(1)
      expect(await rows(provider)).toEqual([['a', 2, 0]])
    })

    it('sees 500 workers, and all others together', async () => {
      const testStore = await open()
      const provider = await quick(testStore, { failureThreshold: 50 })
      await look(provider)
      const names = Array.from({ length: 503 }, (_, i) => `w-${String(i).padStart(3, '0')}`)
      await Promise.all(names.map((name) => provider.send([run('healthy')], by(name))))
      await provider.send([run('healthy'), run('timeout')], by('w-000'))
      const seen = await rows(provider)
      expect(seen).toHaveLength(501)
      expect(seen[0]).toEqual(['*', 3, 0])
      expect(seen[1]).toEqual(['w-000', 3, 1])
    })

    it('is told how many calls of a worker have failed since the last that did not', async () => {
      const provider = await quick(await open(), { failureThreshold: 50 })
      await look(provider)
      const rowOf = async () => (await look(provider)).tallies[0]?.inARow
      const batches = [[run('timeout', { count: 2 })], [run('ignored'), run('unhealthy')]]
      for (const runs of batches) await provider.send(runs, by('a'))
      expect(await rowOf()).toBe(3)
      await provider.send([run('unhealthy'), run('client_error'), run('unhealthy', { count: 2 })], by('a'))
      expect(await rowOf()).toBe(2)
    })

    it('leaves nothing with a removal, and sees nothing of what is not registered', async () => {
      const testStore = await open()
      const provider = await quick(testStore)
      await look(provider)
      await provider.send([run('healthy')], by('a'))
      await testStore.store.remove('openai', control())
      expect(await testStore.leftovers('openai')).toEqual([])
      const request = { worker: 'screen', knownVersion: 0 }
      expect(await testStore.store.view('openai', request)).toMatchObject({ status: 'unknown_provider' })
      expect(await testStore.leftovers('openai')).toEqual([])
    })
  })
}
