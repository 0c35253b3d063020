import { describe, expect, it } from 'vitest'
import type { OverdueRequest } from '../../../src/model/ports.js'
import type { SettingsInput } from '../../../src/model/settings.js'
import { control, kinds, known, QUICK, Subject, type Ground } from './subject.js'
import { eventually } from '../../harness/eventually.mjs'

const INTERVAL_MS = 10_000
const OVERDUE_MS = 30_000
const PROBED: SettingsInput = {
  breaker: QUICK,
  probe: { kind: 'tcp', host: 'localhost', port: 1, intervalMs: INTERVAL_MS },
}

/** Health checks that do not come: the fleet is told, once in a silence. */
export function overdueContract(open: () => Promise<Ground>): void {
  const probed = async (settings = PROBED) => {
    const ground = await open()
    const subject = new Subject(ground)
    await subject.register(settings)
    return { ground, subject }
  }
  const ask = async (subject: Subject, over: Partial<OverdueRequest> = {}) =>
    known(
      await subject.store.overdue(subject.id, {
        worker: 'worker-1',
        knownVersion: 0,
        overdueMs: OVERDUE_MS,
        intervalMs: INTERVAL_MS,
        ...over,
      }),
    )
  const result = async (subject: Subject) => subject.finish(await subject.probe(), 'healthy')

  describe('a probe that does not come', () => {
    it('is announced at the very end of the wait, once, and known to every reader', async () => {
      const { ground, subject } = await probed()
      await result(subject)
      await ground.advance(OVERDUE_MS - 1)
      const before = await subject.snapshot()
      expect((await ask(subject)).events).toEqual([])
      expect(await subject.snapshot()).toEqual(before)
      await ground.advance(1)
      const reply = await ask(subject)
      const version = before.version + 1
      expect(reply.events).toEqual([
        {
          kind: 'probe_overdue',
          providerId: 'openai',
          from: '',
          to: 'overdue',
          reason: 'no probe result for 30s, every 10s is wanted',
          generation: before.generation,
          version: Math.max(version, ground.nowMs()),
          worker: 'worker-1',
          actor: '',
          at: ground.nowMs(),
        },
      ])
      expect(reply.snapshot).toMatchObject({ state: 'closed', probeOverdueAt: ground.nowMs() })
      await ground.advance(OVERDUE_MS)
      expect((await ask(subject)).events).toEqual([])
      expect((await subject.store.events(subject.id, 10)).map(({ kind }) => kind)).toEqual([
        'registered',
        'probe_overdue',
      ])
      await eventually(() => expect(ground.changes.at(-1)?.events).toEqual(reply.events))
    })

    it('is announced once, however many ask at the same time', async () => {
      const { ground, subject } = await probed()
      await ground.advance(OVERDUE_MS)
      const replies = await Promise.all(Array.from({ length: 20 }, () => ask(subject)))
      expect(replies.flatMap(kinds)).toEqual(['probe_overdue'])
    })

    it('is awaited since the settings were set, where none has ever come', async () => {
      const { ground, subject } = await probed()
      await ground.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(subject))).toEqual([])
      await ground.advance(1)
      expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
    })

    it('says how long to the ms where that is not long', async () => {
      const { ground, subject } = await probed()
      await ground.advance(450)
      const { events } = await ask(subject, { overdueMs: 450, intervalMs: 150 })
      expect(events[0]?.reason).toBe('no probe result for 450ms, every 150ms is wanted')
    })

    it.each(['healthy', 'timeout'] as const)(
      'is over with the next result, which everybody hears: %s',
      async (outcome) => {
        const { ground, subject } = await probed()
        await subject.record('healthy')
        await ground.advance(OVERDUE_MS)
        const told = await ask(subject)
        const reply = await subject.finish(await subject.probe(), outcome)
        expect(reply.snapshot).toMatchObject({ probeOverdueAt: null, probeAwaitedSince: ground.nowMs() })
        expect(reply.snapshot?.version).toBeGreaterThan(told.snapshot?.version ?? Infinity)
        await ground.advance(OVERDUE_MS - 1)
        expect(kinds(await ask(subject))).toEqual([])
        await ground.advance(1)
        expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
      },
    )

    it('is not over with a probe that begins, is given up, or is dropped', async () => {
      const { ground, subject } = await probed()
      await ground.advance(OVERDUE_MS)
      await ask(subject)
      await subject.finish(await subject.probe(), 'ignored')
      const admission = await subject.probe()
      await subject.finish({ ...admission, settingsRevision: admission.settingsRevision - 1 }, 'healthy')
      expect((await subject.snapshot()).probeOverdueAt).toBe(ground.nowMs())
    })

    it('is over with a result from before a transition: it came', async () => {
      const { ground, subject } = await probed()
      const admission = await subject.probe()
      await ground.advance(OVERDUE_MS)
      await ask(subject)
      await subject.reset()
      expect(await subject.finish(admission, 'healthy')).toMatchObject({ late: 1 })
      expect(await subject.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: ground.nowMs(),
      })
    })

    it('stays announced through transitions and calls: only a result ends the silence', async () => {
      const { ground, subject } = await probed()
      await ground.advance(OVERDUE_MS)
      await ask(subject)
      await subject.record('unhealthy')
      await subject.reset()
      await subject.trip(null)
      await ground.advance(OVERDUE_MS)
      expect(kinds(await ask(subject))).toEqual([])
    })

    it('is awaited anew with other settings, and not with the same', async () => {
      const { ground, subject } = await probed()
      await ground.advance(OVERDUE_MS)
      await ask(subject)
      await subject.register(PROBED)
      expect(await subject.snapshot()).toMatchObject({ probeOverdueAt: ground.nowMs() })
      await subject.register({ ...PROBED, slowMs: 9 })
      expect(await subject.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: ground.nowMs(),
      })
      await ground.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(subject))).toEqual([])
      await ground.advance(1)
      expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
    })

    it('is awaited no more where no probe is configured, or the provider is removed', async () => {
      const { ground, subject } = await probed({ breaker: QUICK })
      await ground.advance(OVERDUE_MS)
      expect(kinds(await ask(subject))).toEqual([])
      await subject.store.remove(subject.id, control())
      const request = { worker: 'w', knownVersion: 0, overdueMs: 1, intervalMs: 1 }
      expect(await subject.store.overdue(subject.id, request)).toEqual({
        status: 'unknown_provider',
        nowMs: ground.nowMs(),
      })
      expect(await ground.leftovers(subject.id)).toEqual([])
      await subject.register(PROBED)
      expect(await subject.snapshot()).toMatchObject({
        probeOverdueAt: null,
        probeAwaitedSince: ground.nowMs(),
      })
    })

    it.each(['unhealthy', 'terminated'] as const)('is not awaited while it is marked %s', async (mark) => {
      const { ground, subject } = await probed()
      await subject.mark(mark)
      await ground.advance(OVERDUE_MS)
      expect(kinds(await ask(subject))).toEqual([])
      await subject.resume()
      expect(await subject.snapshot()).toMatchObject({ probeAwaitedSince: ground.nowMs() })
      await ground.advance(OVERDUE_MS - 1)
      expect(kinds(await ask(subject))).toEqual([])
      await ground.advance(1)
      expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
    })

    it('is awaited since a mark that ended the probes ran out, whoever noticed that first', async () => {
      const { ground, subject } = await probed()
      await subject.mark('unhealthy', 500)
      const endsAt = ground.nowMs() + 500
      expect((await subject.snapshot()).probeAwaitedSince).toBe(endsAt)
      await ground.advance(500 + OVERDUE_MS)
      expect(await subject.snapshot()).toMatchObject({ mark: null, probeAwaitedSince: endsAt })
      expect(kinds(await ask(subject))).toEqual(['resumed', 'probe_overdue'])
      expect((await subject.snapshot()).probeAwaitedSince).toBe(endsAt)
    })

    it('is awaited as ever under the mark degraded', async () => {
      const { ground, subject } = await probed()
      const since = ground.nowMs()
      await ground.advance(OVERDUE_MS)
      await subject.mark('degraded')
      expect((await subject.snapshot()).probeAwaitedSince).toBe(since)
      expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
      await subject.resume()
      expect((await subject.snapshot()).probeOverdueAt).toBe(ground.nowMs())
    })

    it('is not awaited during a pause that the provider asked for', async () => {
      const { ground, subject } = await probed()
      await subject.record('throttled', 1, { retryAfterMs: 60_000 })
      expect((await subject.snapshot()).probeAwaitedSince).toBe(ground.nowMs() + 60_000)
      await ground.advance(60_000 + OVERDUE_MS - 1)
      expect(kinds(await ask(subject))).toEqual([])
      await ground.advance(1)
      expect(kinds(await ask(subject))).toEqual(['probe_overdue'])
    })
  })

  describe('a state', () => {
    it('is told with the moment at which it began', async () => {
      const { ground, subject } = await probed()
      const since = async () => (await subject.snapshot()).stateSince
      const began = ground.nowMs()
      await ground.advance(10)
      expect(await since()).toBe(began)
      await subject.record('unhealthy')
      expect(await since()).toBe(began + 10)
      // Half-open from the end of the cooldown on, though nothing has stored that yet.
      await ground.advance(1_500)
      expect(await subject.snapshot()).toMatchObject({ state: 'half_open', stateSince: began + 1_010 })
      await subject.record('healthy')
      expect(await subject.snapshot()).toMatchObject({ state: 'closed', stateSince: began + 1_510 })
    })
  })
}
