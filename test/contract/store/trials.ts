import { describe, expect, it } from 'vitest'
import { kinds, quick, run, type TestStore, type TestProvider } from './test-provider.js'
import { eventually } from '../../harness/eventually.mjs'

/** Half-open: leases, who holds one, and what frees it. */
export function trialsContract(open: () => Promise<TestStore>): void {
  const halfOpen = async (
    testStore: TestStore,
    breaker: Parameters<typeof quick>[1] = {},
  ): Promise<TestProvider> => {
    const testProvider = await quick(testStore, breaker)
    await testProvider.openAndWait()
    return testProvider
  }

  describe('a trial', () => {
    it('makes the circuit half-open for all to see, once, and its companions share the generation', async () => {
      const testProvider = await halfOpen(await open(), { halfOpenMaxTrials: 2 })
      const before = await testProvider.snapshot()
      const first = await testProvider.admit('a')
      expect(first.events).toMatchObject([
        { kind: 'half_opened', from: 'open', to: 'half_open', reason: 'cooldown over' },
      ])
      expect(first.generation).toBeGreaterThan(before.generation)
      const second = await testProvider.admit('b')
      expect(second).toMatchObject({ trial: true, events: [], generation: first.generation })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'half_open',
        trials: 2,
        trialFreeInMs: 500,
      })
    })

    it('is the same when it is asked for again: one lease, not a longer one', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore)
      const first = await testProvider.admit('a')
      await testStore.advance(200)
      const again = await testProvider.admit('a')
      expect(again).toMatchObject({ admitted: true, trial: true, generation: first.generation, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 300 })
    })

    it('is not prolonged by those who are refused', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore)
      await testProvider.admit('a')
      await testStore.advance(200)
      expect(await testProvider.admit('b')).toMatchObject({ admitted: false, retryAfterMs: 300 })
      expect(await testProvider.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 300 })
    })

    it('holds its slot to the ms before its deadline, and no longer', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore)
      await testProvider.admit('a')
      await testStore.advance(499)
      expect(await testProvider.admit('b')).toMatchObject({
        admitted: false,
        code: 'no_trial_free',
        retryAfterMs: 1,
      })
      await testStore.advance(1)
      expect(await testProvider.snapshot()).toMatchObject({ trials: 0, trialFreeInMs: 0, state: 'half_open' })
      expect(await testProvider.admit('b')).toMatchObject({ admitted: true, trial: true })
      expect((await testProvider.snapshot()).trials).toBe(1)
    })

    it('lasts as long as its call may, be that longer or shorter', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore, { halfOpenMaxTrials: 2 })
      await testProvider.admit('a', { leaseMs: 900 })
      await testProvider.admit('b', { leaseMs: 100 })
      expect((await testProvider.snapshot()).trialFreeInMs).toBe(100)
      await testStore.advance(100)
      expect(await testProvider.snapshot()).toMatchObject({ trials: 1, trialFreeInMs: 800 })
    })

    it('whose lease ended frees its slot only: no transition, and its result still counts', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore)
      const slow = await testProvider.admit('a')
      await testStore.advance(10_000)
      const { generation, state } = await testProvider.snapshot()
      expect([generation, state]).toEqual([slow.generation, 'half_open'])
      const closed = await testProvider.settle(slow, 'healthy', {}, 'a')
      expect(kinds(closed)).toEqual(['closed'])
      expect(closed.outdated).toBe(0)
    })

    it('that fails deletes the leases of all others, whose results then come late', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore, { halfOpenMaxTrials: 2, trialLeaseMs: 60_000 })
      const [one, other] = [await testProvider.admit('a'), await testProvider.admit('b')]
      const failed = await testProvider.settle(one, 'timeout', {}, 'a')
      expect(failed.events).toMatchObject([
        { kind: 'opened', from: 'half_open', reason: 'trial failed: timeout' },
      ])
      expect(failed.snapshot).toMatchObject({ state: 'open', trials: 0, retryAfterMs: 1_000 })
      const late = await testProvider.settle(other, 'healthy', {}, 'b')
      expect(late).toMatchObject({ outdated: 1, events: [] })
      expect((await testProvider.snapshot()).state).toBe('open')
      await testStore.advance(1_000)
      expect(await testProvider.admit('c')).toMatchObject({ trial: true })
      expect(await testProvider.admit('d')).toMatchObject({ trial: true })
    })

    it.each<[string, (testProvider: TestProvider) => Promise<unknown>]>([
      ['reset', (testProvider) => testProvider.reset()],
      ['trip', (testProvider) => testProvider.trip(10)],
      ['closing', (testProvider) => testProvider.record('healthy')],
    ])('loses its lease by %s', async (_, leave) => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore, { trialLeaseMs: 60_000 })
      await testProvider.admit('a')
      await leave(testProvider)
      expect((await testProvider.snapshot()).trials).toBe(0)
      await testProvider.trip(1)
      await testStore.advance(1)
      expect(await testProvider.admit('b')).toMatchObject({ admitted: true, trial: true })
    })
  })

  describe('a freed slot', () => {
    it.each([
      ['ignored', 0],
      ['healthy', 1],
      ['degraded', 1],
      ['client_error', 1],
    ] as const)('by %s adds a version and no event, and is taken at once', async (outcome, successes) => {
      const testProvider = await halfOpen(await open(), { successThreshold: 2 })
      const trial = await testProvider.admit('a')
      const before = await testProvider.snapshot()
      const reply = await testProvider.settle(trial, outcome, {}, 'a')
      expect(reply.events).toEqual([])
      expect(reply.snapshot).toMatchObject({ state: 'half_open', trials: 0, generation: before.generation })
      expect(reply.snapshot).toMatchObject({ consecutiveSuccesses: successes })
      expect(reply.snapshot?.version).toBeGreaterThan(before.version)
      expect(await testProvider.admit('b')).toMatchObject({ admitted: true, trial: true })
    })

    it('is announced, so that those who wait need not ask', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore)
      const trial = await testProvider.admit('a')
      const reply = await testProvider.settle(trial, 'ignored', {}, 'a')
      const change = { providerId: 'openai', events: [], snapshot: reply.snapshot }
      await eventually(() => expect(testStore.changes.at(-1)).toEqual(change))
    })

    it('by a pause counts neither way', async () => {
      const testProvider = await halfOpen(await open(), { successThreshold: 2 })
      await testProvider.settle(await testProvider.admit('a'), 'healthy', {}, 'a')
      const before = await testProvider.snapshot()
      const reply = await testProvider.settle(
        await testProvider.admit('b'),
        'throttled',
        { retryAfterMs: 80 },
        'b',
      )
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
      const testProvider = await halfOpen(await open())
      const { generation } = await testProvider.admit('a')
      const { version } = await testProvider.snapshot()
      await testProvider.send([run('ignored', { generation, token: 'somebody else' })])
      expect(await testProvider.snapshot()).toMatchObject({ trials: 1, version })
    })
  })

  describe('a half-open circuit', () => {
    it('closes at successThreshold, one after the other', async () => {
      const testProvider = await halfOpen(await open(), { successThreshold: 2 })
      await testProvider.settle(await testProvider.admit('a'), 'healthy', {}, 'a')
      const closed = await testProvider.settle(await testProvider.admit('b'), 'degraded', {}, 'b')
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
        const testStore = await open()
        const testProvider = await halfOpen(testStore)
        const reply = await testProvider.record(outcome)
        expect(kinds(reply)).toEqual(events)
        expect(reply.events[0]?.generation).toBeLessThan(reply.events[1]?.generation ?? 0)
        expect(reply.snapshot).toMatchObject({ state, generation: reply.events[1]?.generation })
        await eventually(() => expect(testStore.changes.at(-1)?.snapshot).toEqual(reply.snapshot))
        expect(testStore.changes.at(-1)?.events).toEqual(reply.events)
      },
    )

    it('takes the first of several outcomes without a permit, and the others bear an older generation', async () => {
      const testProvider = await halfOpen(await open(), { successThreshold: 2 })
      const reply = await testProvider.record('healthy', 3)
      expect(reply.outdated).toBe(2)
      expect(reply.snapshot).toMatchObject({ state: 'half_open', consecutiveSuccesses: 1, historyHealthy: 3 })
    })

    it('begins anew with successes after it opened again', async () => {
      const testStore = await open()
      const testProvider = await halfOpen(testStore, { successThreshold: 2 })
      await testProvider.record('healthy')
      await testProvider.record('unhealthy')
      await testStore.advance(1_000)
      const again = await testProvider.record('healthy')
      expect(again.snapshot).toMatchObject({ state: 'half_open', consecutiveSuccesses: 1 })
    })
  })
}
