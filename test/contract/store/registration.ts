import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../../src/config/settings.js'
import { EMPTY_SNAPSHOT, type StoredSnapshot } from '../../../src/model/snapshot.js'
import {
  control,
  FAR_MS,
  kinds,
  known,
  quick,
  QUICK,
  run,
  TestProvider,
  type TestStore,
} from './test-provider.js'
import { eventually } from '../../harness/eventually.mjs'

/** How a provider comes to be, changes its settings, and goes. */
export function registrationContract(open: () => Promise<TestStore>): void {
  describe('registering', () => {
    it('gives a provider that nobody knew, with every field of its snapshot', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const reply = await testProvider.register()
      const now = testStore.nowMs()
      expect(reply).toMatchObject({
        status: 'ok',
        nowMs: now,
        applied: 0,
        revision: 1,
        setBy: 'worker-1',
        setAt: now,
      })
      expect(reply.settings).toEqual(resolveSettings())
      expect(reply.events).toEqual([
        {
          kind: 'registered',
          providerId: 'openai',
          from: '',
          to: 'closed',
          reason: 'registered',
          generation: now,
          version: now,
          worker: 'worker-1',
          actor: '',
          at: now,
        },
      ])
      expect(reply.snapshot).toEqual({
        id: 'openai',
        state: 'closed',
        stateSince: now,
        generation: now,
        version: now,
        settingsRevision: 1,
        enforce: true,
        group: '',
        windowCalls: 0,
        windowFailures: 0,
        windowDegraded: 0,
        failureRate: null,
        degradedRate: null,
        suspects: [],
        viewedForMs: 0,
        failingBatches: 0,
        consecutiveFailures: 0,
        probeConsecutiveFailures: 0,
        consecutiveSuccesses: 0,
        openedAt: null,
        retryAfterMs: 0,
        cooldownMs: 0,
        rampForMs: 0,
        reason: 'registered',
        trials: 0,
        trialFreeInMs: 0,
        throttledForMs: 0,
        mark: null,
        markReason: '',
        markActor: '',
        markForMs: null,
        markVersion: 0,
        historyTotal: 0,
        historyHealthy: 0,
        historyFailed: 0,
        markEnded: false,
        outageSince: null,
        outageReason: '',
        outageBy: '',
        openedTotal: 0,
        halfOpenedTotal: 0,
        closedTotal: 0,
        resetTotal: 0,
        openMsTotal: 0,
        outageTrials: 0,
        outageDoomed: 0,
        clientErrors: 0,
        lastClientError: '',
        ignored: 0,
        lastIgnored: '',
        windowCoveredMs: 60_000,
        applied: 0,
        lastProbeStatus: null,
        lastProbeDetail: '',
        lastProbeAt: null,
        probeAwaitedSince: now,
        probeOverdueAt: null,
        probeStartedAt: null,
        heartbeatAt: null,
        heartbeatProgress: null,
        heartbeatProgressAt: null,
        at: now,
      })
      expect(await testProvider.snapshot()).toEqual(reply.snapshot)
    })

    it('lists the members of a group, by the settings of now', async () => {
      const testStore = await open()
      const [a, b] = [new TestProvider(testStore, 'a'), new TestProvider(testStore, 'b')]
      expect(await testStore.store.members('llm')).toEqual([])
      const { snapshot } = await a.register({ group: 'llm', weight: 0.5 })
      expect(snapshot).toMatchObject({ group: 'llm' })
      await b.register({ group: 'llm' }, { worker: 'worker-2' })
      expect([...(await testStore.store.members('llm'))].sort()).toEqual(['a', 'b'])
      await b.register({ group: 'other' })
      await b.register({ group: 'llm' }, { mode: 'keep' })
      expect(await testStore.store.members('llm')).toEqual(['a'])
      expect(await testStore.store.members('other')).toEqual(['b'])
      await a.register({})
      expect((await a.snapshot()).group).toBe('')
      await testStore.store.remove('b', control())
      expect(await testStore.store.members('llm')).toEqual([])
      expect(await testStore.store.members('other')).toEqual([])
      expect(await testStore.leftovers('b')).toEqual([])
    })

    it('writes nothing for settings that are there already', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const first = await testProvider.register({ slowMs: 100 })
      await testStore.advance(1_000)
      const second = await testProvider.register({ slowMs: 100 }, { worker: 'worker-2' })
      expect(second).toMatchObject({ revision: 1, setBy: 'worker-1', setAt: first.setAt, events: [] })
      expect((await testProvider.snapshot()).version).toBe(first.snapshot?.version)
      expect(await testProvider.store.events('openai', 10)).toHaveLength(1)
    })

    it('replaces settings that differ, and tells which, before and after', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const first = await testProvider.register({ breaker: { failureThreshold: 3 }, slowMs: 100 })
      await testStore.advance(1_000)
      const second = await testProvider.register({ breaker: { failureThreshold: 5 } }, { worker: 'worker-2' })
      expect(second).toMatchObject({ revision: 2, setBy: 'worker-2', setAt: testStore.nowMs() })
      expect(second.settings).toEqual(resolveSettings({ breaker: { failureThreshold: 5 } }))
      expect(second.events).toMatchObject([
        {
          kind: 'settings_changed',
          from: 'breaker.failureThreshold=3 slowMs=100',
          to: 'breaker.failureThreshold=5 slowMs=-',
          worker: 'worker-2',
          generation: first.snapshot?.generation,
        },
      ])
      expect(second.snapshot).toMatchObject({ settingsRevision: 2, version: testStore.nowMs() })
      expect(await testProvider.store.settings('openai')).toEqual({
        settings: second.settings,
        unread: [],
        revision: 2,
        setBy: 'worker-2',
        setAt: testStore.nowMs(),
        pinned: false,
      })
    })

    it('keeps the stored settings when asked to, and takes those given where there are none', async () => {
      const testProvider = new TestProvider(await open())
      const first = await testProvider.register({ slowMs: 100 }, { mode: 'keep' })
      expect(first.settings.slowMs).toBe(100)
      const second = await testProvider.register({ slowMs: 200 }, { mode: 'keep' })
      expect(second).toMatchObject({ revision: 1, events: [], settings: { slowMs: 100 } })
    })

    it('gives settings back as they went in, the probe too', async () => {
      const testProvider = new TestProvider(await open())
      const settings = resolveSettings({
        breaker: { enforce: false, cooldownMultiplier: 1.5, cooldownJitter: 0.25, maxCooldownMs: 90_000 },
        history: { maxRecords: 7, windowMs: 1_234, degradationThreshold: 0.333 },
        slowMs: 55,
        probe: {
          kind: 'http',
          url: 'https://api.example.com/health?deep=1',
          headers: { 'x-key': 'a "quoted" välue' },
          expectStatus: [200, '3xx'],
          bodyContains: 'ok: {}',
        },
      })
      expect((await testProvider.register(settings)).settings).toEqual(settings)
      expect((await testProvider.store.settings('openai'))?.settings).toEqual(settings)
    })

    it('leaves deadlines that run, and applies thresholds from the next record', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.record('unhealthy', 2)
      await testProvider.register({ breaker: { ...QUICK, failureThreshold: 2 } })
      expect((await testProvider.snapshot()).state).toBe('closed')
      const opened = await testProvider.record('unhealthy')
      expect(opened.snapshot).toMatchObject({ state: 'open', retryAfterMs: 1_000, consecutiveFailures: 3 })
      await testProvider.register({ breaker: { ...QUICK, cooldownMs: 5 } })
      expect((await testProvider.snapshot()).retryAfterMs).toBe(1_000)
    })

    it('lists providers, the oldest first', async () => {
      const testStore = await open()
      for (const id of ['a', 'b', 'c/d@e']) await new TestProvider(testStore, id).register()
      await new TestProvider(testStore, 'a').register()
      expect((await testStore.store.providers()).map((provider) => provider.id)).toEqual(['a', 'b', 'c/d@e'])
    })

    it('has one epoch for everybody, from the first who asks for one', async () => {
      const { store } = await open()
      const epoch = await store.ensureEpoch()
      expect(epoch).not.toBe('')
      expect([await store.ensureEpoch(), await store.epoch()]).toEqual([epoch, epoch])
    })

    it('takes the heartbeat of a worker', async () => {
      const { store } = await open()
      await expect(store.touchWorker('worker-1')).resolves.toBeUndefined()
    })
  })

  describe('settings that an operator sets', () => {
    const byHand = { operator: 'alice', reason: 'a busy week', notAfterMs: FAR_MS }

    it('outrank code until they are released, and then the next registration wins', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const first = await testProvider.register({ slowMs: 100 })
      await testStore.advance(1_000)
      const applied = await testProvider.register({ slowMs: 200 }, { byHand })
      expect(applied).toMatchObject({ revision: 2, setBy: 'alice', setAt: testStore.nowMs(), pinned: true })
      expect(applied.events).toMatchObject([
        {
          kind: 'settings_changed',
          from: 'pinned=- slowMs=100',
          to: 'pinned=true slowMs=200',
          actor: 'alice',
          reason: 'a busy week',
          worker: 'worker-1',
          generation: first.snapshot?.generation,
        },
      ])
      expect(applied.snapshot).toMatchObject({ settingsRevision: 2 })
      const fromCode = await testProvider.register({ slowMs: 300 }, { worker: 'worker-2' })
      expect(fromCode).toMatchObject({ revision: 2, events: [], pinned: true, settings: { slowMs: 200 } })

      const released = await testProvider.register({}, { mode: 'release', byHand })
      expect(released).toMatchObject({ revision: 3, setBy: 'alice', setAt: applied.setAt, pinned: false })
      expect(released.settings.slowMs).toBe(200)
      expect(released.events).toMatchObject([
        { kind: 'settings_changed', from: 'pinned=true', to: 'pinned=-', actor: 'alice' },
      ])
      expect(released.snapshot).toMatchObject({ settingsRevision: 3 })
      expect(await testProvider.store.settings('openai')).toMatchObject({ revision: 3, pinned: false })
      const next = await testProvider.register({ slowMs: 300 }, { worker: 'worker-2' })
      expect(next).toMatchObject({ revision: 4, setBy: 'worker-2', settings: { slowMs: 300 } })
    })

    it('by hand are late by the time of their provider, which a clock that stepped back does not change', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const { snapshot } = await testProvider.register({ slowMs: 100 })
      const set = snapshot?.at ?? 0
      await testStore.set(set - 3_600_000)
      await testProvider.reset()
      const late = testProvider.register({ slowMs: 200 }, { byHand: { ...byHand, notAfterMs: set - 1 } })
      await expect(late).rejects.toMatchObject({ code: 'command_late' })
      expect(await testProvider.store.settings('openai')).toMatchObject({
        revision: 1,
        settings: { slowMs: 100 },
      })
      const inTime = await testProvider.register({ slowMs: 200 }, { byHand: { ...byHand, notAfterMs: set } })
      expect(inTime).toMatchObject({ revision: 2, setAt: set, nowMs: set })
    })

    it('are pinned also where they are those in force, and write nothing the second time', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({ slowMs: 100 })
      const applied = await testProvider.register({ slowMs: 100 }, { byHand })
      expect(applied).toMatchObject({ revision: 2, setBy: 'alice', pinned: true })
      expect(applied.events).toMatchObject([{ from: 'pinned=-', to: 'pinned=true' }])
      const again = await testProvider.register({ slowMs: 100 }, { byHand: { ...byHand, operator: 'bob' } })
      expect(again).toMatchObject({ revision: 2, setBy: 'alice', events: [] })
    })

    it('register a provider that nobody knew, and survive a wipe with a handle that knew them', async () => {
      const testProvider = new TestProvider(await open())
      const created = await testProvider.register({ slowMs: 7 }, { mode: 'keep', byHand })
      expect(created).toMatchObject({ revision: 1, setBy: 'alice', pinned: true })
      expect(created.events).toMatchObject([{ kind: 'registered', actor: 'alice' }])
      expect(await testProvider.register({ slowMs: 8 })).toMatchObject({ settings: { slowMs: 7 } })
    })

    it('are not released twice, nor where there are none; nothing is done too late', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      await expect(testProvider.register({}, { mode: 'release', byHand })).rejects.toMatchObject({
        code: 'provider_unknown',
      })
      expect(await testStore.store.providers()).toEqual([])
      await testProvider.register({ slowMs: 100 })
      expect(await testProvider.register({}, { mode: 'release', byHand })).toMatchObject({
        revision: 1,
        events: [],
      })
      const late = { ...byHand, notAfterMs: testStore.nowMs() - 1 }
      await expect(testProvider.register({ slowMs: 5 }, { byHand: late })).rejects.toMatchObject({
        code: 'command_late',
      })
      expect(await testProvider.store.settings('openai')).toMatchObject({
        revision: 1,
        settings: { slowMs: 100 },
      })
    })
  })

  describe('registering after a wipe', () => {
    const knownBefore: StoredSnapshot = {
      ...EMPTY_SNAPSHOT,
      id: 'openai',
      state: 'open',
      stateSince: 1,
      generation: FAR_MS - 10,
      version: FAR_MS - 5,
      settingsRevision: 4,
      enforce: true,
      viewedForMs: 0,
      failingBatches: 0,
      consecutiveFailures: 3,
      probeConsecutiveFailures: 2,
      consecutiveSuccesses: 0,
      openedAt: 1,
      retryAfterMs: 700,
      cooldownMs: 2_000,
      reason: '3 consecutive failures, last: timeout',
      trials: 0,
      trialFreeInMs: 0,
      throttledForMs: 300,
      mark: 'degraded',
      markReason: 'slow today',
      markActor: 'ops',
      markForMs: 400,
      markVersion: 9,
      historyTotal: 10,
      historyHealthy: 5,
      windowCoveredMs: 60_000,
      applied: 10,
      lastProbeStatus: 'timeout',
      lastProbeDetail: 'slow',
      lastProbeAt: 5,
      probeAwaitedSince: 5,
      probeOverdueAt: 6,
      probeStartedAt: 4,
      heartbeatAt: 5,
      heartbeatProgress: 6,
      heartbeatProgressAt: 7,
      at: 6,
    }

    it('brings back what still holds: an open circuit, a pause, a mark, and numbers that go on', async () => {
      const testStore = await open()
      const testProvider = new TestProvider(testStore)
      const reply = await testProvider.register({}, { mode: 'keep', restore: knownBefore })
      expect(reply.events).toMatchObject([
        { kind: 'registered', reason: 'restored after a wipe', to: 'open' },
      ])
      expect(reply.revision).toBe(5)
      expect(reply.snapshot).toMatchObject({
        state: 'open',
        retryAfterMs: 700,
        cooldownMs: 2_000,
        reason: '3 consecutive failures, last: timeout',
        throttledForMs: 300,
        mark: 'degraded',
        markReason: 'slow today',
        markActor: 'ops',
        markForMs: 400,
        generation: FAR_MS - 9,
        version: FAR_MS - 4,
        markVersion: FAR_MS - 4,
        settingsRevision: 5,
      })
      expect(reply.snapshot).toMatchObject({
        consecutiveFailures: 0,
        probeConsecutiveFailures: 0,
        historyTotal: 0,
        historyHealthy: 0,
        applied: 0,
        lastProbeStatus: null,
      })
      await testStore.advance(700)
      expect((await testProvider.admit()).trial).toBe(true)
    })

    it('brings an open circuit without a deadline back without one', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register({}, { restore: { ...knownBefore, retryAfterMs: null, markForMs: null } })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'open',
        retryAfterMs: null,
        markForMs: null,
      })
    })

    it('brings a half-open circuit back as one whose trials have ended', async () => {
      const testProvider = new TestProvider(await open())
      const half = {
        ...knownBefore,
        state: 'half_open' as const,
        retryAfterMs: 0,
        throttledForMs: 0,
        trials: 1,
      }
      const reply = await testProvider.register({}, { restore: half })
      expect(reply.snapshot).toMatchObject({ state: 'half_open', trials: 0 })
      expect((await testProvider.admit()).trial).toBe(true)
    })

    it('brings nothing of a closed circuit but its numbers', async () => {
      const testProvider = new TestProvider(await open())
      const closed = {
        ...knownBefore,
        state: 'closed' as const,
        retryAfterMs: 0,
        mark: null,
        markForMs: null,
        throttledForMs: 0,
        cooldownMs: 0,
        reason: '1 successful trial',
      }
      expect((await testProvider.register({}, { restore: closed })).snapshot).toMatchObject({
        state: 'closed',
        openedAt: null,
        generation: FAR_MS - 9,
        mark: null,
        markVersion: 0,
        throttledForMs: 0,
      })
    })

    it('asks nobody what he knew while the store knows better', async () => {
      const testProvider = new TestProvider(await open())
      await testProvider.register()
      const reply = await testProvider.register({}, { mode: 'keep', restore: knownBefore })
      expect(reply).toMatchObject({ revision: 1, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        mark: null,
        settingsRevision: 1,
      })
    })
  })

  describe('an unknown provider', () => {
    it.each([
      [
        'admit',
        (testProvider: TestProvider) => testProvider.store.admit(testProvider.id, testProvider.admission()),
      ],
      [
        'record',
        (testProvider: TestProvider) =>
          testProvider.store.record(testProvider.id, testProvider.batch([run('unhealthy')])),
      ],
      ['reset', (testProvider: TestProvider) => testProvider.store.reset(testProvider.id, control())],
      [
        'trip',
        (testProvider: TestProvider) =>
          testProvider.store.trip(testProvider.id, { ...control(), forMs: null }),
      ],
      ['mark', (s: TestProvider) => s.store.mark(s.id, { ...control(), mark: 'unhealthy', forMs: null })],
      ['resume', (testProvider: TestProvider) => testProvider.store.resume(testProvider.id, control())],
      ['remove', (testProvider: TestProvider) => testProvider.store.remove(testProvider.id, control())],
      ['snapshot', (testProvider: TestProvider) => testProvider.store.snapshot(testProvider.id)],
    ] as const)('%s says so and writes nothing', async (_, call) => {
      const testStore = await open()
      expect(await call(new TestProvider(testStore))).toEqual({
        status: 'unknown_provider',
        nowMs: testStore.nowMs(),
      })
      expect(await testStore.leftovers('openai')).toEqual([])
    })

    it('has no settings, no history and no events', async () => {
      const { store } = await open()
      expect(await store.settings('openai')).toBeNull()
      expect(await store.history('openai', 10, 0)).toEqual([])
      expect(await store.events('openai', 10)).toEqual([])
      expect(await store.providers()).toEqual([])
    })
  })

  describe('a command that comes too late', () => {
    const commands = [
      ['admit', (s: TestProvider, notAfterMs: number) => s.store.admit(s.id, s.admission({ notAfterMs }))],
      ['reset', (s: TestProvider, notAfterMs: number) => s.store.reset(s.id, control({ notAfterMs }))],
      [
        'trip',
        (s: TestProvider, notAfterMs: number) => s.store.trip(s.id, { ...control({ notAfterMs }), forMs: 5 }),
      ],
      [
        'mark',
        (s: TestProvider, notAfterMs: number) =>
          s.store.mark(s.id, { ...control({ notAfterMs }), mark: 'unhealthy', forMs: null }),
      ],
      ['resume', (s: TestProvider, notAfterMs: number) => s.store.resume(s.id, control({ notAfterMs }))],
      ['remove', (s: TestProvider, notAfterMs: number) => s.store.remove(s.id, control({ notAfterMs }))],
    ] as const

    it.each(commands)('%s does nothing a ms after its time', async (_, call) => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('degraded')
      await testProvider.openAndWait()
      const before = await testProvider.snapshot()
      const events = await testProvider.store.events(testProvider.id, 100)
      expect(await call(testProvider, testStore.nowMs() - 1)).toEqual({
        status: 'late',
        nowMs: testStore.nowMs(),
      })
      expect(await testProvider.snapshot()).toEqual(before)
      expect(await testProvider.store.events(testProvider.id, 100)).toEqual(events)
    })

    it.each(commands)('%s does its work in its last ms', async (_, call) => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.mark('degraded')
      await testProvider.openAndWait()
      const reply = known<unknown>(await call(testProvider, testStore.nowMs()))
      expect(reply.events).toHaveLength(1)
    })
  })

  describe('removing', () => {
    it('leaves nothing of a provider that used every key, and tells everybody', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { successThreshold: 2 })
      await testProvider.mark('degraded')
      await testProvider.openAndWait()
      await testProvider.admit()
      const { generation } = await testProvider.snapshot()
      expect(await testStore.leftovers('openai')).not.toEqual([])
      const reply = known(await testStore.store.remove('openai', control({ reason: 'retired' })))
      expect(reply.events).toMatchObject([
        { kind: 'removed', from: 'half_open', to: '', reason: 'retired', actor: 'ops', generation },
      ])
      expect(reply.snapshot).toBeNull()
      expect(await testStore.leftovers('openai')).toEqual([])
      expect(await testStore.store.providers()).toEqual([])
      expect(await testStore.store.events('openai', 10)).toEqual([])
      await eventually(() =>
        expect(testStore.changes.at(-1)).toEqual({
          providerId: 'openai',
          events: reply.events,
          snapshot: null,
        }),
      )
    })

    it('leaves other providers alone', async () => {
      const testStore = await open()
      const [one, other] = [new TestProvider(testStore, 'one'), new TestProvider(testStore, 'other')]
      await one.register()
      await other.register()
      await other.record('unhealthy')
      await testStore.store.remove('one', control())
      expect((await other.snapshot()).consecutiveFailures).toBe(1)
      expect((await testStore.store.providers()).map(({ id }) => id)).toEqual(['other'])
    })

    it('lets the same id begin anew, with nothing of before', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('unhealthy')
      await testProvider.mark('terminated')
      await testStore.store.remove('openai', control())
      await testStore.advance(1_000)
      const reply = await testProvider.register()
      expect(kinds(reply)).toEqual(['registered'])
      expect(reply.snapshot).toMatchObject({ state: 'closed', mark: null, historyTotal: 0, applied: 0 })
      expect(reply).toMatchObject({ revision: 1 })
    })
  })

  describe('what a reply carries', () => {
    it('has the snapshot only for who does not know the version', async () => {
      const testProvider = await quick(await open())
      const { version } = await testProvider.snapshot()
      expect((await testProvider.admit('a', { knownVersion: version })).snapshot).toBeNull()
      expect((await testProvider.admit('a', { knownVersion: version - 1 })).snapshot).toMatchObject({
        version,
      })
      expect((await testProvider.send([], { knownVersion: version })).snapshot).toBeNull()
    })

    it('has the snapshot for who made the version himself', async () => {
      const testProvider = await quick(await open())
      const before = await testProvider.snapshot()
      const { generation, version: knownVersion } = before
      const reply = await testProvider.send([run('unhealthy', { generation })], { knownVersion })
      expect(reply.snapshot).toMatchObject({ state: 'open' })
      expect(reply.snapshot?.version).toBeGreaterThan(knownVersion)
    })

    it('has the number of outcomes applied, of every kind', async () => {
      const testProvider = await quick(await open())
      expect((await testProvider.record('healthy', 3)).applied).toBe(3)
      expect((await testProvider.record('ignored', 2)).applied).toBe(5)
      expect((await testProvider.snapshot()).applied).toBe(5)
    })

    it('is announced once for a change, with the same events and snapshot, and never without one', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('healthy')
      await testProvider.admit()
      await testProvider.resume()
      const opened = await testProvider.record('unhealthy')
      await testStore.advance(1_000)
      const closed = await testProvider.record('healthy')
      expect(kinds(closed)).toEqual(['half_opened', 'closed'])
      await eventually(() => expect(testStore.changes.length).toBe(3))
      expect(testStore.changes.slice(1)).toEqual([
        { providerId: 'openai', events: opened.events, snapshot: opened.snapshot },
        { providerId: 'openai', events: closed.events, snapshot: closed.snapshot },
      ])
    })
  })

  describe('events', () => {
    it('are kept as they were told, the oldest first, the newest `count` of them', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const opened = await testProvider.record('unhealthy')
      await testStore.advance(5)
      const reset = await testProvider.reset()
      const all = await testStore.store.events('openai', 100)
      expect(all.map((event) => event.kind)).toEqual(['registered', 'opened', 'reset'])
      expect(all.slice(1)).toEqual([...opened.events, ...reset.events])
      expect(await testStore.store.events('openai', 1)).toEqual(reset.events)
      expect(await testStore.store.events('openai', 0)).toEqual([])
    })

    it('are capped at about a thousand', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await Promise.all(Array.from({ length: 1_300 }, () => testProvider.reset()))
      const kept = await testStore.store.events('openai', 1_000_000)
      expect(kept.length).toBeGreaterThanOrEqual(1_000)
      expect(kept.length).toBeLessThan(1_200)
      expect(kept.at(-1)?.version).toBe((await testProvider.snapshot()).version)
    })
  })
}
