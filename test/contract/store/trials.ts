import { describe, expect, it } from 'vitest'
import { kinds, quick, run, type Ground, type Subject } from './subject.js'
import { eventually } from '../../harness/eventually.mjs'

/** Half-open: leases, who holds one, and what frees it. */
export function trialsContract(open: () => Promise<Ground>): void {
  const halfOpen = async (ground: Ground, breaker: Parameters<typeof quick>[1] = {}): Promise<Subject> => {
    const subject = await quick(ground, breaker)
    await subject.openAndWait()
    return subject
  }

  describe('a trial', () => {
    it('makes the circuit half-open for all to see, once, and its companions share the generation', async () => {
      const subject = await halfOpen(await open(), { halfOpenMaxTrials: 2 })
      const before = await subject.snapshot()
      const first = await subject.admit('a')
      expect(first.events).toMatchObject([
        { kind: 'half_opened', from: 'open', to: 'half_open', reason: 'cooldown over' },
      ])
      expect(first.generation).toBeGreaterThan(before.generation)
      const second = await subject.admit('b')
      expect(second).toMatchObject({ trial: true, events: [], generation: first.generation })
      expect(await subject.snapshot()).toMatchObject({ state: 'half_open', trials: 2, trialFreeInMs: 500 })
    })

    it('is the same when it is asked for again: one lease, not a longer one', async () => {
      const ground = await open()
      const subject = await halfOpen(ground)
      const first = await subject.admit('a')
      await ground.advance(200)
      const again = await subject.admit('a')
      expect(again).toMatchObject({ admitted: true, trial: true, generation: first.generation, events: [] })
      expect(await subject.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 300 })
    })

    it('is not prolonged by those who are refused', async () => {
      const ground = await open()
      const subject = await halfOpen(ground)
      await subject.admit('a')
      await ground.advance(200)
      expect(await subject.admit('b')).toMatchObject({ admitted: false, retryAfterMs: 300 })
      expect(await subject.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 300 })
    })

    it('holds its slot to the ms before its deadline, and no longer', async () => {
      const ground = await open()
      const subject = await halfOpen(ground)
      await subject.admit('a')
      await ground.advance(499)
      expect(await subject.admit('b')).toMatchObject({
        admitted: false,
        code: 'no_trial_free',
        retryAfterMs: 1,
      })
      await ground.advance(1)
      expect(await subject.snapshot()).toMatchObject({ trials: 0, trialFreeInMs: 0, state: 'half_open' })
      expect(await subject.admit('b')).toMatchObject({ admitted: true, trial: true })
      expect((await subject.snapshot()).trials).toBe(1)
    })

    it('lasts as long as its call may, be that longer or shorter', async () => {
      const ground = await open()
      const subject = await halfOpen(ground, { halfOpenMaxTrials: 2 })
      await subject.admit('a', { leaseMs: 900 })
      await subject.admit('b', { leaseMs: 100 })
      expect((await subject.snapshot()).trialFreeInMs).toBe(100)
      await ground.advance(100)
      expect(await subject.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 800 })
    })

    it('whose lease ended frees its slot only: no transition, and its result still counts', async () => {
      const ground = await open()
      const subject = await halfOpen(ground)
      const slow = await subject.admit('a')
      await ground.advance(10_000)
      const { generation, state } = await subject.snapshot()
      expect([generation, state]).toEqual([slow.generation, 'half_open'])
      const closed = await subject.settle(slow, 'healthy', {}, 'a')
      expect(kinds(closed)).toEqual(['closed'])
      expect(closed.late).toBe(0)
    })

    it('that fails deletes the leases of all others, whose results then come late', async () => {
      const ground = await open()
      const subject = await halfOpen(ground, { halfOpenMaxTrials: 2, trialLeaseMs: 60_000 })
      const [one, other] = [await subject.admit('a'), await subject.admit('b')]
      const failed = await subject.settle(one, 'timeout', {}, 'a')
      expect(failed.events).toMatchObject([
        { kind: 'opened', from: 'half_open', reason: 'trial failed: timeout' },
      ])
      expect(failed.snapshot).toMatchObject({ state: 'open', trials: 0, retryAfterMs: 1_000 })
      const late = await subject.settle(other, 'healthy', {}, 'b')
      expect(late).toMatchObject({ late: 1, events: [] })
      expect((await subject.snapshot()).state).toBe('open')
      await ground.advance(1_000)
      expect(await subject.admit('c')).toMatchObject({ trial: true })
      expect(await subject.admit('d')).toMatchObject({ trial: true })
    })

    it.each<[string, (subject: Subject) => Promise<unknown>]>([
      ['reset', (subject) => subject.reset()],
      ['trip', (subject) => subject.trip(10)],
      ['closing', (subject) => subject.record('healthy')],
    ])('loses its lease by %s', async (_, leave) => {
      const ground = await open()
      const subject = await halfOpen(ground, { trialLeaseMs: 60_000 })
      await subject.admit('a')
      await leave(subject)
      expect((await subject.snapshot()).trials).toBe(0)
      await subject.trip(1)
      await ground.advance(1)
      expect(await subject.admit('b')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('a freed slot', () => {
    it.each([
      ['ignored', 0],
      ['healthy', 1],
      ['degraded', 1],
      ['client_error', 1],
    ] as const)('by %s adds a version and no event, and is taken at once', async (outcome, successes) => {
      const subject = await halfOpen(await open(), { successThreshold: 2 })
      const trial = await subject.admit('a')
      const before = await subject.snapshot()
      const reply = await subject.settle(trial, outcome, {}, 'a')
      expect(reply.events).toEqual([])
      expect(reply.snapshot).toMatchObject({ state: 'half_open', trials: 0, generation: before.generation })
      expect(reply.snapshot).toMatchObject({ consecutiveSuccesses: successes })
      expect(reply.snapshot?.version).toBeGreaterThan(before.version)
      expect(await subject.admit('b')).toMatchObject({ admitted: true, trial: true })
    })

    it('is announced, so that those who wait need not ask', async () => {
      const ground = await open()
      const subject = await halfOpen(ground)
      const trial = await subject.admit('a')
      const reply = await subject.settle(trial, 'ignored', {}, 'a')
      const change = { providerId: 'openai', events: [], snapshot: reply.snapshot }
      await eventually(() => expect(ground.changes.at(-1)).toEqual(change))
    })

    it('by a pause counts neither way', async () => {
      const subject = await halfOpen(await open(), { successThreshold: 2 })
      await subject.settle(await subject.admit('a'), 'healthy', {}, 'a')
      const before = await subject.snapshot()
      const reply = await subject.settle(await subject.admit('b'), 'throttled', { retryAfterMs: 80 }, 'b')
      expect(kinds(reply)).toEqual(['throttled'])
      const { consecutiveFailures, generation, historyTotal } = before
      expect(reply.snapshot).toMatchObject({
        state: 'half_open',
        trials: 0,
        throttledForMs: 80,
        consecutiveSuccesses: 1,
        consecutiveFailures,
        generation,
        historyTotal,
      })
    })

    it('is not freed by a token that holds none', async () => {
      const subject = await halfOpen(await open())
      const { generation } = await subject.admit('a')
      const { version } = await subject.snapshot()
      await subject.send([run('ignored', { generation, token: 'somebody else' })])
      expect(await subject.snapshot()).toMatchObject({ trials: 1, version })
    })
  })

  describe('a half-open circuit', () => {
    it('closes at successThreshold, one after the other', async () => {
      const subject = await halfOpen(await open(), { successThreshold: 2 })
      await subject.settle(await subject.admit('a'), 'healthy', {}, 'a')
      const closed = await subject.settle(await subject.admit('b'), 'degraded', {}, 'b')
      expect(closed.events).toMatchObject([
        { kind: 'closed', from: 'half_open', to: 'closed', reason: '2 successful trials' },
      ])
      expect(closed.snapshot).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        consecutiveSuccesses: 0,
        openedAt: null,
        retryAfterMs: 0,
        cooldownMs: 0,
      })
    })

    it.each([
      ['healthy', ['half_opened', 'closed'], 'closed'],
      ['client_error', ['half_opened', 'closed'], 'closed'],
      ['unhealthy', ['half_opened', 'opened'], 'open'],
    ] as const)(
      'is decided by %s without a permit: two events, one snapshot',
      async (outcome, events, state) => {
        const ground = await open()
        const subject = await halfOpen(ground)
        const reply = await subject.record(outcome)
        expect(kinds(reply)).toEqual(events)
        expect(reply.events[0]?.generation).toBeLessThan(reply.events[1]?.generation ?? 0)
        expect(reply.snapshot).toMatchObject({ state, generation: reply.events[1]?.generation })
        await eventually(() => expect(ground.changes.at(-1)?.snapshot).toEqual(reply.snapshot))
        expect(ground.changes.at(-1)?.events).toEqual(reply.events)
      },
    )

    it('takes the first of several outcomes without a permit, and the others bear an older generation', async () => {
      const subject = await halfOpen(await open(), { successThreshold: 2 })
      const reply = await subject.record('healthy', 3)
      expect(reply.late).toBe(2)
      expect(reply.snapshot).toMatchObject({ state: 'half_open', consecutiveSuccesses: 1, historyHealthy: 3 })
    })

    it('begins anew with successes after it opened again', async () => {
      const ground = await open()
      const subject = await halfOpen(ground, { successThreshold: 2 })
      await subject.record('healthy')
      await subject.record('unhealthy')
      await ground.advance(1_000)
      const again = await subject.record('healthy')
      expect(again.snapshot).toMatchObject({ state: 'half_open', consecutiveSuccesses: 1 })
    })
  })
}
