import { describe, expect, it } from 'vitest'
import type { OverdueRequest } from '../../../src/model/ports/store-requests.js'
import type { SettingsInput } from '../../../src/model/settings.js'
import { control, kinds, known, QUICK, TestProvider, type TestStore } from './test-provider.js'
import { eventually } from '../../harness/eventually.mjs'

const INTERVAL_MS = 10_000
const OVERDUE_MS = 30_000
const PROBED: SettingsInput = {
  breaker: QUICK,
  probe: { kind: 'tcp', host: 'localhost', port: 1, intervalMs: INTERVAL_MS },
}

/** Health checks that do not come: the fleet is told, once in a silence. */
export function overdueContract(open: () => Promise<TestStore>): void {
  const probed = async (settings = PROBED) => {
    const testStore = await open()
    const testProvider = new TestProvider(testStore)
    await testProvider.register(settings)
    return { testStore, testProvider }
  }
  const ask = async (testProvider: TestProvider, over: Partial<OverdueRequest> = {}) =>
    known(
      await testProvider.store.overdue(testProvider.id, {
        worker: 'worker-1',
        knownVersion: 0,
        overdueMs: OVERDUE_MS,
        intervalMs: INTERVAL_MS,
        ...over,
      }),
    )
  const result = async (testProvider: TestProvider) =>
    testProvider.finish(await testProvider.probe(), 'healthy')

  describe('a probe that does not come', () => {
    it('is announced at the very end of the wait, once, and known to every reader', async () => {
      const { testStore, testProvider } = await probed()
      await result(testProvider)
      await testStore.advance(OVERDUE_MS - 1)
      const before = await testProvider.snapshot()
      expect((await ask(testProvider)).events).toEqual([])
      expect(await testProvider.snapshot()).toEqual(before)
      await testStore.advance(1)
      const reply = await ask(testProvider)
      const version = before.version + 1
      expect(reply.events).toEqual([
        {
          kind: 'probe_overdue',
          providerId: 'openai',
          from: '',
          to: 'overdue',
          reason: 'no probe result for 30s, every 10s is wanted',
          generation: before.generation,
          version: Math.max(version, testStore.nowMs()),
          worker: 'worker-1',
          actor: '',
          at: testStore.nowMs(),
        },
      ])
      expect(reply.snapshot).toMatchObject({ state: 'closed', probeOverdueAt: testStore.nowMs() })
      await testStore.advance(OVERDUE_MS)
      expect((await ask(testProvider)).events).toEqual([])
      expect((await testProvider.store.events(testProvider.id, 10)).map(({ kind }) => kind)).toEqual([
        'registered',
        'probe_overdue',
      ])
      await eventually(() => expect(testStore.changes.at(-1)?.events).toEqual(reply.events))
    })

    it('is announced once, however many ask at the same time', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(OVERDUE_MS)
      const replies = await Promise.all(Array.from({ length: 20 }, () => ask(testProvider)))
      expect(replies.flatMap(kinds)).toEqual(['probe_overdue'])
    })

    it('is awaited since the settings were set, where none has ever come', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testStore.advance(1)
      expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
    })

    it('says how long to the ms where that is not long', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(450)
      const { events } = await ask(testProvider, { overdueMs: 450, intervalMs: 150 })
      expect(events[0]?.reason).toBe('no probe result for 450ms, every 150ms is wanted')
    })

    it.each(['healthy', 'timeout'] as const)(
      'is over with the next result, which everybody hears: %s',
      async (outcome) => {
        const { testStore, testProvider } = await probed()
        await testProvider.record('healthy')
        await testStore.advance(OVERDUE_MS)
        const told = await ask(testProvider)
        const reply = await testProvider.finish(await testProvider.probe(), outcome)
        expect(reply.snapshot).toMatchObject({ probeOverdueAt: null, probeAwaitedSince: testStore.nowMs() })
        expect(reply.snapshot?.version).toBeGreaterThan(told.snapshot?.version ?? Infinity)
        await testStore.advance(OVERDUE_MS - 1)
        expect(kinds(await ask(testProvider))).toEqual([])
        await testStore.advance(1)
        expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
      },
    )

    it('is not over with a probe that begins, is given up, or is dropped', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(OVERDUE_MS)
      await ask(testProvider)
      await testProvider.finish(await testProvider.probe(), 'ignored')
      const admission = await testProvider.probe()
      await testProvider.finish({ ...admission, settingsRevision: admission.settingsRevision - 1 }, 'healthy')
      expect((await testProvider.snapshot()).probeOverdueAt).toBe(testStore.nowMs())
    })

    it('is over with a result from before a transition: it came', async () => {
      const { testStore, testProvider } = await probed()
      const admission = await testProvider.probe()
      await testStore.advance(OVERDUE_MS)
      await ask(testProvider)
      await testProvider.reset()
      expect(await testProvider.finish(admission, 'healthy')).toMatchObject({ outdated: 1 })
      expect(await testProvider.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: testStore.nowMs(),
      })
    })

    it('stays announced through transitions and calls: only a result ends the silence', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(OVERDUE_MS)
      await ask(testProvider)
      await testProvider.record('unhealthy')
      await testProvider.reset()
      await testProvider.trip(null)
      await testStore.advance(OVERDUE_MS)
      expect(kinds(await ask(testProvider))).toEqual([])
    })

    it('is awaited anew with other settings, and not with the same', async () => {
      const { testStore, testProvider } = await probed()
      await testStore.advance(OVERDUE_MS)
      await ask(testProvider)
      await testProvider.register(PROBED)
      expect(await testProvider.snapshot()).toMatchObject({ probeOverdueAt: testStore.nowMs() })
      await testProvider.register({ ...PROBED, slowMs: 9 })
      expect(await testProvider.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: testStore.nowMs(),
      })
      await testStore.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testStore.advance(1)
      expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
    })

    it('is awaited no more where no probe is configured, or the provider is removed', async () => {
      const { testStore, testProvider } = await probed({ breaker: QUICK })
      await testStore.advance(OVERDUE_MS)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testProvider.store.remove(testProvider.id, control())
      const request = { worker: 'w', knownVersion: 0, overdueMs: 1, intervalMs: 1 }
      expect(await testProvider.store.overdue(testProvider.id, request)).toEqual({
        status: 'unknown_provider',
        nowMs: testStore.nowMs(),
      })
      expect(await testStore.leftovers(testProvider.id)).toEqual([])
      await testProvider.register(PROBED)
      expect(await testProvider.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: testStore.nowMs(),
      })
    })

    it.each(['unhealthy', 'terminated'] as const)('is not awaited while it is marked %s', async (mark) => {
      const { testStore, testProvider } = await probed()
      await testProvider.mark(mark)
      await testStore.advance(OVERDUE_MS)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testProvider.resume()
      expect(await testProvider.snapshot()).toMatchObject({ probeAwaitedSince: testStore.nowMs() })
      await testStore.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testStore.advance(1)
      expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
    })

    it('is awaited since a mark that ended the probes ran out, whoever noticed that first', async () => {
      const { testStore, testProvider } = await probed()
      await testProvider.mark('unhealthy', 500)
      const endsAt = testStore.nowMs() + 500
      expect((await testProvider.snapshot()).probeAwaitedSince).toBe(endsAt)
      await testStore.advance(500 + OVERDUE_MS)
      expect(await testProvider.snapshot()).toMatchObject({ mark: null, probeAwaitedSince: endsAt })
      expect(kinds(await ask(testProvider))).toEqual(['resumed', 'probe_overdue'])
      expect((await testProvider.snapshot()).probeAwaitedSince).toBe(endsAt)
    })

    it('is awaited as ever under the mark degraded', async () => {
      const { testStore, testProvider } = await probed()
      const since = testStore.nowMs()
      await testStore.advance(OVERDUE_MS)
      await testProvider.mark('degraded')
      expect((await testProvider.snapshot()).probeAwaitedSince).toBe(since)
      expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
      await testProvider.resume()
      expect((await testProvider.snapshot()).probeOverdueAt).toBe(testStore.nowMs())
    })

    it('is not awaited during a pause that the provider asked for', async () => {
      const { testStore, testProvider } = await probed()
      await testProvider.record('throttled', 1, { retryAfterMs: 60_000 })
      expect((await testProvider.snapshot()).probeAwaitedSince).toBe(testStore.nowMs() + 60_000)
      await testStore.advance(60_000 + OVERDUE_MS - 1)
      expect(kinds(await ask(testProvider))).toEqual([])
      await testStore.advance(1)
      expect(kinds(await ask(testProvider))).toEqual(['probe_overdue'])
    })
  })

  describe('a state', () => {
    it('is told with the moment at which it began', async () => {
      const { testStore, testProvider } = await probed()
      const since = async () => (await testProvider.snapshot()).stateSince
      const began = testStore.nowMs()
      await testStore.advance(10)
      expect(await since()).toBe(began)
      await testProvider.record('unhealthy')
      expect(await since()).toBe(began + 10)
      // Half-open from the end of the cooldown on, though nothing has stored that yet.
      await testStore.advance(1_500)
      expect(await testProvider.snapshot()).toMatchObject({ state: 'half_open', stateSince: began + 1_010 })
      await testProvider.record('healthy')
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', stateSince: began + 1_510 })
    })
  })
}
