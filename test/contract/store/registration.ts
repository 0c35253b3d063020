import { describe, expect, it } from 'vitest'
import { resolveSettings } from '../../../src/config/settings.js'
import { EMPTY_SNAPSHOT, type StoredSnapshot } from '../../../src/model/snapshot.js'
import { control, FAR_MS, kinds, known, quick, QUICK, run, Subject, type Ground } from './subject.js'
import { eventually } from '../../harness/eventually.mjs'

/** How a provider comes to be, changes its settings, and goes. */
export function registrationContract(open: () => Promise<Ground>): void {
  describe('registering', () => {
    it('gives a provider that nobody knew, with every field of its snapshot', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      const reply = await subject.register()
      const now = ground.nowMs()
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
        failingBatches: 0,
        consecutiveFailures: 0,
        probeConsecutiveFailures: 0,
        consecutiveSuccesses: 0,
        openedAt: null,
        retryAfterMs: 0,
        cooldownMs: 0,
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
      expect(await subject.snapshot()).toEqual(reply.snapshot)
    })

    it('writes nothing for settings that are there already', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      const first = await subject.register({ slowMs: 100 })
      await ground.advance(1_000)
      const second = await subject.register({ slowMs: 100 }, { worker: 'worker-2' })
      expect(second).toMatchObject({ revision: 1, setBy: 'worker-1', setAt: first.setAt, events: [] })
      expect((await subject.snapshot()).version).toBe(first.snapshot?.version)
      expect(await subject.store.events('openai', 10)).toHaveLength(1)
    })

    it('replaces settings that differ, and tells which, before and after', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      const first = await subject.register({ breaker: { failureThreshold: 3 }, slowMs: 100 })
      await ground.advance(1_000)
      const second = await subject.register({ breaker: { failureThreshold: 5 } }, { worker: 'worker-2' })
      expect(second).toMatchObject({ revision: 2, setBy: 'worker-2', setAt: ground.nowMs() })
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
      expect(second.snapshot).toMatchObject({ settingsRevision: 2, version: ground.nowMs() })
      expect(await subject.store.settings('openai')).toEqual({
        settings: second.settings,
        unread: [],
        revision: 2,
        setBy: 'worker-2',
        setAt: ground.nowMs(),
        pinned: false,
      })
    })

    it('keeps the stored settings when asked to, and takes those given where there are none', async () => {
      const subject = new Subject(await open())
      const first = await subject.register({ slowMs: 100 }, { mode: 'keep' })
      expect(first.settings.slowMs).toBe(100)
      const second = await subject.register({ slowMs: 200 }, { mode: 'keep' })
      expect(second).toMatchObject({ revision: 1, events: [], settings: { slowMs: 100 } })
    })

    it('gives settings back as they went in, the probe too', async () => {
      const subject = new Subject(await open())
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
      expect((await subject.register(settings)).settings).toEqual(settings)
      expect((await subject.store.settings('openai'))?.settings).toEqual(settings)
    })

    it('leaves deadlines that run, and applies thresholds from the next record', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.record('unhealthy', 2)
      await subject.register({ breaker: { ...QUICK, failureThreshold: 2 } })
      expect((await subject.snapshot()).state).toBe('closed')
      const opened = await subject.record('unhealthy')
      expect(opened.snapshot).toMatchObject({ state: 'open', retryAfterMs: 1_000, consecutiveFailures: 3 })
      await subject.register({ breaker: { ...QUICK, cooldownMs: 5 } })
      expect((await subject.snapshot()).retryAfterMs).toBe(1_000)
    })

    it('lists providers, the oldest first', async () => {
      const ground = await open()
      for (const id of ['a', 'b', 'c/d@e']) await new Subject(ground, id).register()
      await new Subject(ground, 'a').register()
      expect((await ground.store.providers()).map((provider) => provider.id)).toEqual(['a', 'b', 'c/d@e'])
    })

    it('has one epoch for everybody, from the first who asks for one', async () => {
      const { store } = await open()
      const epoch = await store.ensureEpoch()
      expect(epoch).not.toBe('')
      expect([await store.ensureEpoch(), await store.epoch()]).toEqual([epoch, epoch])
    })

    it('takes the heartbeat of a worker', async () => {
      const { store } = await open()
      await expect(store.heartbeat('worker-1')).resolves.toBeUndefined()
    })
  })

  describe('settings that an operator sets', () => {
    const byHand = { operator: 'alice', reason: 'a busy week', notAfterMs: FAR_MS }

    it('outrank code until they are released, and then the next registration wins', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      const first = await subject.register({ slowMs: 100 })
      await ground.advance(1_000)
      const applied = await subject.register({ slowMs: 200 }, { byHand })
      expect(applied).toMatchObject({ revision: 2, setBy: 'alice', setAt: ground.nowMs(), pinned: true })
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
      const fromCode = await subject.register({ slowMs: 300 }, { worker: 'worker-2' })
      expect(fromCode).toMatchObject({ revision: 2, events: [], pinned: true, settings: { slowMs: 200 } })

      const released = await subject.register({}, { mode: 'release', byHand })
      expect(released).toMatchObject({ revision: 3, setBy: 'alice', setAt: applied.setAt, pinned: false })
      expect(released.settings.slowMs).toBe(200)
      expect(released.events).toMatchObject([
        { kind: 'settings_changed', from: 'pinned=true', to: 'pinned=-', actor: 'alice' },
      ])
      expect(released.snapshot).toMatchObject({ settingsRevision: 3 })
      expect(await subject.store.settings('openai')).toMatchObject({ revision: 3, pinned: false })
      const next = await subject.register({ slowMs: 300 }, { worker: 'worker-2' })
      expect(next).toMatchObject({ revision: 4, setBy: 'worker-2', settings: { slowMs: 300 } })
    })

    it('by hand are late by the time of their provider, which a clock that stepped back does not change', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      const { snapshot } = await subject.register({ slowMs: 100 })
      const set = snapshot?.at ?? 0
      await ground.set(set - 3_600_000)
      await subject.reset()
      const late = subject.register({ slowMs: 200 }, { byHand: { ...byHand, notAfterMs: set - 1 } })
      await expect(late).rejects.toMatchObject({ code: 'command_late' })
      expect(await subject.store.settings('openai')).toMatchObject({ revision: 1, settings: { slowMs: 100 } })
      const inTime = await subject.register({ slowMs: 200 }, { byHand: { ...byHand, notAfterMs: set } })
      expect(inTime).toMatchObject({ revision: 2, setAt: set, nowMs: set })
    })

    it('are pinned also where they are those in force, and write nothing the second time', async () => {
      const subject = new Subject(await open())
      await subject.register({ slowMs: 100 })
      const applied = await subject.register({ slowMs: 100 }, { byHand })
      expect(applied).toMatchObject({ revision: 2, setBy: 'alice', pinned: true })
      expect(applied.events).toMatchObject([{ from: 'pinned=-', to: 'pinned=true' }])
      const again = await subject.register({ slowMs: 100 }, { byHand: { ...byHand, operator: 'bob' } })
      expect(again).toMatchObject({ revision: 2, setBy: 'alice', events: [] })
    })

    it('register a provider that nobody knew, and survive a wipe with a handle that knew them', async () => {
      const subject = new Subject(await open())
      const created = await subject.register({ slowMs: 7 }, { mode: 'keep', byHand })
      expect(created).toMatchObject({ revision: 1, setBy: 'alice', pinned: true })
      expect(created.events).toMatchObject([{ kind: 'registered', actor: 'alice' }])
      expect(await subject.register({ slowMs: 8 })).toMatchObject({ settings: { slowMs: 7 } })
    })

    it('are not released twice, nor where there are none; nothing is done too late', async () => {
      const ground = await open()
      const subject = new Subject(ground)
      await expect(subject.register({}, { mode: 'release', byHand })).rejects.toMatchObject({
        code: 'provider_unknown',
      })
      expect(await ground.store.providers()).toEqual([])
      await subject.register({ slowMs: 100 })
      expect(await subject.register({}, { mode: 'release', byHand })).toMatchObject({
        revision: 1,
        events: [],
      })
      const late = { ...byHand, notAfterMs: ground.nowMs() - 1 }
      await expect(subject.register({ slowMs: 5 }, { byHand: late })).rejects.toMatchObject({
        code: 'command_late',
      })
      expect(await subject.store.settings('openai')).toMatchObject({ revision: 1, settings: { slowMs: 100 } })
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
      const ground = await open()
      const subject = new Subject(ground)
      const reply = await subject.register({}, { mode: 'keep', restore: knownBefore })
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
      await ground.advance(700)
      expect((await subject.admit()).trial).toBe(true)
    })

    it('brings an open circuit without a deadline back without one', async () => {
      const subject = new Subject(await open())
      await subject.register({}, { restore: { ...knownBefore, retryAfterMs: null, markForMs: null } })
      expect(await subject.snapshot()).toMatchObject({ state: 'open', retryAfterMs: null, markForMs: null })
    })

    it('brings a half-open circuit back as one whose trials have ended', async () => {
      const subject = new Subject(await open())
      const half = {
        ...knownBefore,
        state: 'half_open' as const,
        retryAfterMs: 0,
        throttledForMs: 0,
        trials: 1,
      }
      const reply = await subject.register({}, { restore: half })
      expect(reply.snapshot).toMatchObject({ state: 'half_open', trials: 0 })
      expect((await subject.admit()).trial).toBe(true)
    })

    it('brings nothing of a closed circuit but its numbers', async () => {
      const subject = new Subject(await open())
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
      expect((await subject.register({}, { restore: closed })).snapshot).toMatchObject({
        state: 'closed',
        openedAt: null,
        generation: FAR_MS - 9,
        mark: null,
        markVersion: 0,
        throttledForMs: 0,
      })
    })

    it('asks nobody what he knew while the store knows better', async () => {
      const subject = new Subject(await open())
      await subject.register()
      const reply = await subject.register({}, { mode: 'keep', restore: knownBefore })
      expect(reply).toMatchObject({ revision: 1, events: [] })
      expect(await subject.snapshot()).toMatchObject({ state: 'closed', mark: null, settingsRevision: 1 })
    })
  })

  describe('an unknown provider', () => {
    it.each([
      ['admit', (subject: Subject) => subject.store.admit(subject.id, subject.admission())],
      ['record', (subject: Subject) => subject.store.record(subject.id, subject.batch([run('unhealthy')]))],
      ['reset', (subject: Subject) => subject.store.reset(subject.id, control())],
      ['trip', (subject: Subject) => subject.store.trip(subject.id, { ...control(), forMs: null })],
      ['mark', (s: Subject) => s.store.mark(s.id, { ...control(), mark: 'unhealthy', forMs: null })],
      ['resume', (subject: Subject) => subject.store.resume(subject.id, control())],
      ['remove', (subject: Subject) => subject.store.remove(subject.id, control())],
      ['snapshot', (subject: Subject) => subject.store.snapshot(subject.id)],
    ] as const)('%s says so and writes nothing', async (_, call) => {
      const ground = await open()
      expect(await call(new Subject(ground))).toEqual({ status: 'unknown_provider', nowMs: ground.nowMs() })
      expect(await ground.leftovers('openai')).toEqual([])
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
      ['admit', (s: Subject, notAfterMs: number) => s.store.admit(s.id, s.admission({ notAfterMs }))],
      ['reset', (s: Subject, notAfterMs: number) => s.store.reset(s.id, control({ notAfterMs }))],
      [
        'trip',
        (s: Subject, notAfterMs: number) => s.store.trip(s.id, { ...control({ notAfterMs }), forMs: 5 }),
      ],
      [
        'mark',
        (s: Subject, notAfterMs: number) =>
          s.store.mark(s.id, { ...control({ notAfterMs }), mark: 'unhealthy', forMs: null }),
      ],
      ['resume', (s: Subject, notAfterMs: number) => s.store.resume(s.id, control({ notAfterMs }))],
      ['remove', (s: Subject, notAfterMs: number) => s.store.remove(s.id, control({ notAfterMs }))],
    ] as const

    it.each(commands)('%s does nothing a ms after its time', async (_, call) => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('degraded')
      await subject.openAndWait()
      const before = await subject.snapshot()
      const events = await subject.store.events(subject.id, 100)
      expect(await call(subject, ground.nowMs() - 1)).toEqual({ status: 'late', nowMs: ground.nowMs() })
      expect(await subject.snapshot()).toEqual(before)
      expect(await subject.store.events(subject.id, 100)).toEqual(events)
    })

    it.each(commands)('%s does its work in its last ms', async (_, call) => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.mark('degraded')
      await subject.openAndWait()
      const reply = known<unknown>(await call(subject, ground.nowMs()))
      expect(reply.events).toHaveLength(1)
    })
  })

  describe('removing', () => {
    it('leaves nothing of a provider that used every key, and tells everybody', async () => {
      const ground = await open()
      const subject = await quick(ground, { successThreshold: 2 })
      await subject.mark('degraded')
      await subject.openAndWait()
      await subject.admit()
      const { generation } = await subject.snapshot()
      expect(await ground.leftovers('openai')).not.toEqual([])
      const reply = known(await ground.store.remove('openai', control({ reason: 'retired' })))
      expect(reply.events).toMatchObject([
        { kind: 'removed', from: 'half_open', to: '', reason: 'retired', actor: 'ops', generation },
      ])
      expect(reply.snapshot).toBeNull()
      expect(await ground.leftovers('openai')).toEqual([])
      expect(await ground.store.providers()).toEqual([])
      expect(await ground.store.events('openai', 10)).toEqual([])
      await eventually(() =>
        expect(ground.changes.at(-1)).toEqual({
          providerId: 'openai',
          events: reply.events,
          snapshot: null,
        }),
      )
    })

    it('leaves other providers alone', async () => {
      const ground = await open()
      const [one, other] = [new Subject(ground, 'one'), new Subject(ground, 'other')]
      await one.register()
      await other.register()
      await other.record('unhealthy')
      await ground.store.remove('one', control())
      expect((await other.snapshot()).consecutiveFailures).toBe(1)
      expect((await ground.store.providers()).map(({ id }) => id)).toEqual(['other'])
    })

    it('lets the same id begin anew, with nothing of before', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('unhealthy')
      await subject.mark('terminated')
      await ground.store.remove('openai', control())
      await ground.advance(1_000)
      const reply = await subject.register()
      expect(kinds(reply)).toEqual(['registered'])
      expect(reply.snapshot).toMatchObject({ state: 'closed', mark: null, historyTotal: 0, applied: 0 })
      expect(reply).toMatchObject({ revision: 1 })
    })
  })

  describe('what a reply carries', () => {
    it('has the snapshot only for who does not know the version', async () => {
      const subject = await quick(await open())
      const { version } = await subject.snapshot()
      expect((await subject.admit('a', { knownVersion: version })).snapshot).toBeNull()
      expect((await subject.admit('a', { knownVersion: version - 1 })).snapshot).toMatchObject({ version })
      expect((await subject.send([], { knownVersion: version })).snapshot).toBeNull()
    })

    it('has the snapshot for who made the version himself', async () => {
      const subject = await quick(await open())
      const before = await subject.snapshot()
      const { generation, version: knownVersion } = before
      const reply = await subject.send([run('unhealthy', { generation })], { knownVersion })
      expect(reply.snapshot).toMatchObject({ state: 'open' })
      expect(reply.snapshot?.version).toBeGreaterThan(knownVersion)
    })

    it('has the number of outcomes applied, of every kind', async () => {
      const subject = await quick(await open())
      expect((await subject.record('healthy', 3)).applied).toBe(3)
      expect((await subject.record('ignored', 2)).applied).toBe(5)
      expect((await subject.snapshot()).applied).toBe(5)
    })

    it('is announced once for a change, with the same events and snapshot, and never without one', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('healthy')
      await subject.admit()
      await subject.resume()
      const opened = await subject.record('unhealthy')
      await ground.advance(1_000)
      const closed = await subject.record('healthy')
      expect(kinds(closed)).toEqual(['half_opened', 'closed'])
      await eventually(() => expect(ground.changes.length).toBe(3))
      expect(ground.changes.slice(1)).toEqual([
        { providerId: 'openai', events: opened.events, snapshot: opened.snapshot },
        { providerId: 'openai', events: closed.events, snapshot: closed.snapshot },
      ])
    })
  })

  describe('events', () => {
    it('are kept as they were told, the oldest first, the newest `count` of them', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const opened = await subject.record('unhealthy')
      await ground.advance(5)
      const reset = await subject.reset()
      const all = await ground.store.events('openai', 100)
      expect(all.map((event) => event.kind)).toEqual(['registered', 'opened', 'reset'])
      expect(all.slice(1)).toEqual([...opened.events, ...reset.events])
      expect(await ground.store.events('openai', 1)).toEqual(reset.events)
      expect(await ground.store.events('openai', 0)).toEqual([])
    })

    it('are capped at about a thousand', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await Promise.all(Array.from({ length: 1_300 }, () => subject.reset()))
      const kept = await ground.store.events('openai', 1_000_000)
      expect(kept.length).toBeGreaterThanOrEqual(1_000)
      expect(kept.length).toBeLessThan(1_200)
      expect(kept.at(-1)?.version).toBe((await subject.snapshot()).version)
    })
  })
}
