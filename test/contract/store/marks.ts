import { describe, expect, it } from 'vitest'
import { control, kinds, known, quick, type TestStore, type TestProvider } from './test-provider.js'

/** Marks: they override observation, end by hand or by themselves, and never touch the circuit. */
export function marksContract(open: () => Promise<TestStore>): void {
  describe('a mark', () => {
    it('says who set it, why and until when, and leaves the circuit as it is', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.record('unhealthy', 2)
      const before = await testProvider.snapshot()
      const reply = await testProvider.mark('unhealthy', 600)
      expect(reply.events).toMatchObject([
        {
          kind: 'marked',
          from: '',
          to: 'unhealthy',
          reason: 'a test',
          actor: 'ops',
          generation: before.generation,
        },
      ])
      const version = before.version + 1
      expect(reply.snapshot).toEqual({
        ...before,
        version,
        mark: 'unhealthy',
        markReason: 'a test',
        markActor: 'ops',
        markForMs: 600,
        probeAwaitedSince: before.at + 600,
        markVersion: version,
      })
    })

    it('is replaced by the next one, whichever that is', async () => {
      const testProvider = await quick(await open())
      await testProvider.mark('unhealthy', 600)
      const reply = await testProvider.mark('degraded')
      expect(reply.events).toMatchObject([{ kind: 'marked', from: 'unhealthy', to: 'degraded' }])
      expect(reply.snapshot).toMatchObject({ mark: 'degraded', markForMs: null })
      expect((await testProvider.admit()).admitted).toBe(true)
    })

    it('is cleared by resume, with one event, and resuming again does nothing', async () => {
      const testProvider = await quick(await open())
      await testProvider.mark('terminated')
      const reply = await testProvider.resume()
      expect(reply.events).toMatchObject([{ kind: 'resumed', from: 'terminated', to: '', actor: 'ops' }])
      expect(reply.snapshot).toMatchObject({ mark: null, markReason: '', markActor: '', markForMs: null })
      expect(reply.snapshot?.markVersion).toBe(reply.snapshot?.version)
      const { version } = await testProvider.snapshot()
      expect((await testProvider.resume()).events).toEqual([])
      expect((await testProvider.snapshot()).version).toBe(version)
    })

    it('is computed by every reader: gone exactly at its end, though nobody wrote', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('unhealthy', 600)
      await testStore.advance(599)
      expect(await testProvider.snapshot()).toMatchObject({ mark: 'unhealthy', markForMs: 1 })
      const { version } = await testProvider.snapshot()
      await testStore.advance(1)
      expect(await testProvider.snapshot()).toMatchObject({
        mark: null,
        markReason: '',
        markActor: '',
        markForMs: null,
        markEnded: true,
        version,
      })
    })

    it.each<[string, (testProvider: TestProvider) => Promise<{ events: readonly { kind: string }[] }>]>([
      ['admit', (testProvider) => testProvider.admit()],
      ['record', (testProvider) => testProvider.record('healthy')],
      ['reset', (testProvider) => testProvider.reset()],
      ['trip', (testProvider) => testProvider.trip(5)],
      ['mark', (testProvider) => testProvider.mark('degraded')],
      ['resume', (testProvider) => testProvider.resume()],
    ])('that ended is cleared by the next %s, with exactly one event', async (_, write) => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('unhealthy', 600)
      await testStore.advance(600)
      const reply = await write(testProvider)
      expect(reply.events[0]).toMatchObject({
        kind: 'resumed',
        from: 'unhealthy',
        to: '',
        reason: 'the mark ended',
        actor: '',
      })
      await write(testProvider)
      await testProvider.record('healthy')
      const told = (await testStore.store.events('openai', 100)).filter(
        (event) => event.kind === 'resumed' && event.reason === 'the mark ended',
      )
      expect(told).toHaveLength(1)
    })

    it('is cleared by a resume that is for ended marks alone once it has ended, and not before', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('unhealthy', 600)
      const resumeEnded = async () =>
        known(
          await testProvider.store.resume('openai', { ...control(), actor: '', reason: '', endedOnly: true }),
        )
      await testStore.advance(599)
      const early = await resumeEnded()
      expect(early.events).toEqual([])
      expect(early.snapshot).toMatchObject({ mark: 'unhealthy', markForMs: 1, markEnded: false })
      await testStore.advance(1)
      const ended = await resumeEnded()
      expect(ended.events).toMatchObject([{ kind: 'resumed', reason: 'the mark ended', actor: '' }])
      expect(ended.snapshot).toMatchObject({ mark: null, markEnded: false })
      await testProvider.mark('unhealthy')
      expect((await resumeEnded()).events).toEqual([])
      expect((await testProvider.snapshot()).mark).toBe('unhealthy')
    })

    it('that ended is cleared once by writers who race', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('degraded', 600)
      await testStore.advance(600)
      const replies = await Promise.all([
        testProvider.admit('a'),
        testProvider.admit('b'),
        testProvider.resume(),
        testProvider.record('healthy'),
      ])
      expect(replies.flatMap(kinds)).toEqual(['resumed'])
    })
  })
}
