import { describe, expect, it } from 'vitest'
import { kinds, quick, QUICK, run, type TestStore } from './test-provider.js'

/** What outcomes, hands and time do to the circuit. */
export function circuitContract(open: () => Promise<TestStore>): void {
  describe('an outcome while closed', () => {
    it.each([
      ['healthy', 0, 1],
      ['degraded', 0, 1],
      ['unhealthy', 3, 1],
      ['timeout', 3, 1],
      ['terminated', 3, 1],
      ['client_error', 0, 0],
      ['ignored', 2, 0],
      ['throttled', 2, 0],
    ] as const)(
      '%s makes %i consecutive failures of 2, and %i record',
      async (outcome, failures, records) => {
        const testProvider = await quick(await open(), { failureThreshold: 10 })
        await testProvider.record('unhealthy', 2)
        const { generation } = await testProvider.snapshot()
        await testProvider.record(outcome)
        expect(await testProvider.snapshot()).toMatchObject({
          state: 'closed',
          generation,
          consecutiveFailures: failures,
          historyTotal: 2 + records,
          historyHealthy: outcome === 'healthy' ? 1 : 0,
          applied: 3,
        })
      },
    )

    it('opens at failureThreshold and not before, and keeps the count that opened it', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 3 })
      await testProvider.record('unhealthy', 2)
      expect((await testProvider.snapshot()).state).toBe('closed')
      await testStore.advance(7)
      const opened = await testProvider.record('terminated')
      expect(opened.events).toMatchObject([
        {
          kind: 'opened',
          from: 'closed',
          to: 'open',
          reason: '3 consecutive failures, last: terminated',
          actor: '',
          at: testStore.nowMs(),
        },
      ])
      expect(opened.snapshot).toMatchObject({
        state: 'open',
        consecutiveFailures: 3,
        openedAt: testStore.nowMs(),
        retryAfterMs: 1_000,
        cooldownMs: 1_000,
        reason: '3 consecutive failures, last: terminated',
      })
    })

    it('is judged in the order of its batch', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await testProvider.snapshot()
      const of = (outcome: 'healthy' | 'unhealthy', count: number) => run(outcome, { count, generation })
      await testProvider.send([of('unhealthy', 2), of('healthy', 1), of('unhealthy', 2)])
      expect(await testProvider.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 2 })
    })

    it('that comes in a run longer than needed opens once; the others bear an older generation', async () => {
      const testProvider = await quick(await open(), { failureThreshold: 3 })
      const reply = await testProvider.record('unhealthy', 5)
      expect(kinds(reply)).toEqual(['opened'])
      expect(reply.outdated).toBe(2)
      expect(reply.snapshot).toMatchObject({ consecutiveFailures: 3, historyTotal: 5, applied: 5 })
    })
  })

  describe('an outcome while open', () => {
    it('moves counters and history, never the state or the deadline', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const opened = await testProvider.record('unhealthy')
      await testStore.advance(400)
      const more = await testProvider.record('timeout', 2)
      expect(more).toMatchObject({ outdated: 0, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'open',
        consecutiveFailures: 3,
        retryAfterMs: 600,
        generation: opened.snapshot?.generation,
        version: opened.snapshot?.version,
        historyTotal: 3,
      })
      await testProvider.record('healthy')
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'open',
        consecutiveFailures: 0,
        consecutiveSuccesses: 0,
        retryAfterMs: 600,
      })
    })
  })

  describe('the generation', () => {
    it('of an outcome decides whether it counts: from an older one it is history only', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { failureThreshold: 2 })
      const old = await testProvider.admit()
      await testStore.advance(5)
      await testProvider.reset()
      const late = await testProvider.settle(old, 'unhealthy', { count: 3 })
      expect(late).toMatchObject({ outdated: 3, dropped: 0, events: [] })
      expect(await testProvider.snapshot()).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        historyTotal: 3,
        applied: 3,
      })
    })

    it('of the future counts as little', async () => {
      const testProvider = await quick(await open())
      const { generation } = await testProvider.snapshot()
      expect(await testProvider.send([run('unhealthy', { generation: generation + 1 })])).toMatchObject({
        outdated: 1,
      })
      expect((await testProvider.snapshot()).state).toBe('closed')
    })

    it('from before a pause does not prolong it', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const old = await testProvider.admit()
      await testProvider.reset()
      expect(await testProvider.settle(old, 'throttled', { retryAfterMs: 100 })).toMatchObject({
        outdated: 1,
      })
      expect((await testProvider.snapshot()).throttledForMs).toBe(0)
    })

    it('grows by every transition, also into the same state, with one version and one event each', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const steps = [
        ['reset', 'closed', 'closed', () => testProvider.reset()],
        ['opened', 'closed', 'open', () => testProvider.record('unhealthy')],
        ['opened', 'open', 'open', () => testProvider.trip(10)],
        ['opened', 'open', 'open', () => testProvider.trip(1_000)],
        ['reset', 'open', 'closed', () => testProvider.reset()],
        ['reset', 'closed', 'closed', () => testProvider.reset()],
      ] as const
      for (const [kind, from, to, step] of steps) {
        const before = await testProvider.snapshot()
        const reply = await step()
        const after = await testProvider.snapshot()
        expect(reply.events).toMatchObject([{ kind, from, to }])
        // Time stands still here, so each number is the one before plus one.
        expect(after.generation).toBe(before.generation + 1)
        expect(after.version).toBe(before.version + 1)
        expect(reply.events).toMatchObject([{ generation: after.generation, version: after.version }])
      }
    })

    it('is never below the clock, so that it cannot repeat after a wipe', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testStore.advance(1_000_000)
      const reply = await testProvider.reset()
      expect(reply.snapshot).toMatchObject({ generation: testStore.nowMs(), version: testStore.nowMs() })
    })

    it('does not grow by marks, pauses or settings, though the version does', async () => {
      const testProvider = await quick(await open())
      const { generation, version } = await testProvider.snapshot()
      await testProvider.mark('degraded')
      await testProvider.record('throttled', 1, { retryAfterMs: 5 })
      await testProvider.register({ breaker: { ...QUICK, failureThreshold: 9 } })
      await testProvider.resume()
      expect(await testProvider.snapshot()).toMatchObject({ generation, version: version + 4 })
    })
  })

  describe('reset', () => {
    it('closes, zeroes every counter, ends the pause, and leaves marks', async () => {
      const testProvider = await quick(await open(), { cooldownMultiplier: 2 })
      await testProvider.mark('degraded')
      await testProvider.finish(await testProvider.probe(), 'unhealthy')
      await testProvider.record('throttled', 1, { retryAfterMs: 9_000 })
      await testProvider.record('unhealthy')
      expect(await testProvider.snapshot()).toMatchObject({
        consecutiveFailures: 1,
        probeConsecutiveFailures: 1,
      })
      const reply = await testProvider.reset()
      expect(reply.events).toMatchObject([
        { kind: 'reset', from: 'open', to: 'closed', reason: 'a test', actor: 'ops' },
      ])
      expect(reply.snapshot).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        probeConsecutiveFailures: 0,
        consecutiveSuccesses: 0,
        cooldownMs: 0,
        openedAt: null,
        retryAfterMs: 0,
        throttledForMs: 0,
        mark: 'degraded',
        historyTotal: 2,
      })
    })
  })

  describe('trip', () => {
    it('opens by hand for as long as it says, then comes half-open', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      const reply = await testProvider.trip(250)
      expect(reply.events).toMatchObject([{ kind: 'opened', from: 'closed', reason: 'a test', actor: 'ops' }])
      expect(reply.snapshot).toMatchObject({ state: 'open', retryAfterMs: 250, openedAt: testStore.nowMs() })
      await testStore.advance(249)
      expect((await testProvider.snapshot()).state).toBe('open')
      await testStore.advance(1)
      expect(await testProvider.admit()).toMatchObject({ trial: true })
    })

    it('replaces a deadline, by a nearer one or by none', async () => {
      const testProvider = await quick(await open())
      await testProvider.record('unhealthy')
      expect((await testProvider.trip(10)).snapshot).toMatchObject({
        retryAfterMs: 10,
        consecutiveFailures: 1,
      })
      expect((await testProvider.trip(null)).snapshot).toMatchObject({ state: 'open', retryAfterMs: null })
      expect((await testProvider.reset()).snapshot).toMatchObject({ state: 'closed', retryAfterMs: 0 })
    })
  })

  describe('the cooldown', () => {
    it('grows with each opening that no closing came between, to its maximum, and begins anew', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { cooldownMultiplier: 2, maxCooldownMs: 5_000 })
      const cooldowns: (number | null | undefined)[] = []
      for (let i = 0; i < 4; i += 1) {
        const { snapshot } = await testProvider.record('unhealthy')
        expect(snapshot?.cooldownMs).toBe(snapshot?.retryAfterMs)
        cooldowns.push(snapshot?.retryAfterMs)
        await testStore.advance(snapshot?.retryAfterMs ?? 0)
      }
      expect(cooldowns).toEqual([1_000, 2_000, 4_000, 5_000])
      await testProvider.record('healthy')
      expect((await testProvider.record('unhealthy')).snapshot?.retryAfterMs).toBe(1_000)
    })

    it('grows by a whole millisecond at least, where it grows at all', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { cooldownMs: 1, cooldownMultiplier: 1.5 })
      const cooldowns: (number | null | undefined)[] = []
      for (let i = 0; i < 4; i += 1) {
        const { snapshot } = await testProvider.record('unhealthy')
        cooldowns.push(snapshot?.retryAfterMs)
        await testStore.advance(snapshot?.retryAfterMs ?? 0)
      }
      expect(cooldowns).toEqual([1, 2, 3, 4])
    })

    it('is lengthened by the drawn share of its jitter, and grows from what it was without', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore, { cooldownJitter: 0.5, cooldownMultiplier: 2 })
      const failure = async () => run('unhealthy', { generation: (await testProvider.snapshot()).generation })
      const first = await testProvider.send([await failure()], { jitterDraw: 0.5 })
      expect(first.snapshot).toMatchObject({ cooldownMs: 1_000, retryAfterMs: 1_250 })
      await testStore.advance(1_250)
      const second = await testProvider.send([await failure()], { jitterDraw: 0 })
      expect(second.snapshot).toMatchObject({ cooldownMs: 2_000, retryAfterMs: 2_000 })
    })
  })

  describe('a pause', () => {
    it('is announced with its length, and is no failure', async () => {
      const testProvider = await quick(await open())
      const reply = await testProvider.record('throttled', 1, { retryAfterMs: 3_000 })
      expect(reply.events).toMatchObject([
        { kind: 'throttled', from: '', to: 'throttled', reason: 'the provider asked for a pause of 3000 ms' },
      ])
      expect(reply.snapshot).toMatchObject({
        state: 'closed',
        throttledForMs: 3_000,
        consecutiveFailures: 0,
        historyTotal: 0,
      })
    })

    it('is prolonged by a later one and never shortened', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('throttled', 1, { retryAfterMs: 500 })
      await testStore.advance(100)
      const shorter = await testProvider.record('throttled', 1, { retryAfterMs: 399 })
      expect(shorter.events).toEqual([])
      const same = await testProvider.record('throttled', 1, { retryAfterMs: 400 })
      expect(same.events).toEqual([])
      expect((await testProvider.snapshot()).throttledForMs).toBe(400)
      const longer = await testProvider.record('throttled', 1, { retryAfterMs: 401 })
      expect(kinds(longer)).toEqual(['throttled'])
      expect((await testProvider.snapshot()).throttledForMs).toBe(401)
    })
  })

  describe('a clock that steps back', () => {
    it('stands still for the provider, and then goes on', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testStore.advance(1_000)
      await testProvider.record('healthy')
      const { at } = await testProvider.snapshot()
      await testStore.set(testStore.nowMs() - 3_600_000)
      expect((await testProvider.snapshot()).at).toBe(at)
      const reply = await testProvider.record('healthy')
      expect(reply.nowMs).toBe(at)
      await testStore.advance(100)
      expect((await testProvider.record('healthy')).nowMs).toBe(at + 100)
      await testStore.set(testStore.nowMs() - 50)
      await testProvider.record('healthy')
      await testStore.advance(7)
      expect((await testProvider.snapshot()).at).toBe(at + 107)
    })

    it('moves no deadline', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testProvider.record('unhealthy')
      await testStore.set(testStore.nowMs() - 3_600_000)
      await testProvider.record('unhealthy')
      expect((await testProvider.snapshot()).retryAfterMs).toBe(1_000)
      await testStore.advance(999)
      expect(await testProvider.admit()).toMatchObject({ admitted: false, retryAfterMs: 1 })
      await testStore.advance(1)
      expect(await testProvider.admit()).toMatchObject({ admitted: true, trial: true })
    })

    it('judges a command by the provider time', async () => {
      const testStore = await open()
      const testProvider = await quick(testStore)
      await testStore.advance(1_000)
      await testProvider.record('healthy')
      const notAfterMs = testStore.nowMs() - 1
      await testStore.set(testStore.nowMs() - 500)
      expect(await testProvider.store.admit('openai', testProvider.admission({ notAfterMs }))).toEqual({
        status: 'late',
        nowMs: notAfterMs + 1,
      })
    })
  })
}
