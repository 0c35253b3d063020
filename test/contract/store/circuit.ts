import { describe, expect, it } from 'vitest'
import { kinds, quick, QUICK, run, type Ground } from './subject.js'

/** What outcomes, hands and time do to the circuit. */
export function circuitContract(open: () => Promise<Ground>): void {
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
        const subject = await quick(await open(), { failureThreshold: 10 })
        await subject.record('unhealthy', 2)
        const { generation } = await subject.snapshot()
        await subject.record(outcome)
        expect(await subject.snapshot()).toMatchObject({
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
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 3 })
      await subject.record('unhealthy', 2)
      expect((await subject.snapshot()).state).toBe('closed')
      await ground.advance(7)
      const opened = await subject.record('terminated')
      expect(opened.events).toMatchObject([
        {
          kind: 'opened',
          from: 'closed',
          to: 'open',
          reason: '3 consecutive failures, last: terminated',
          actor: '',
          at: ground.nowMs(),
        },
      ])
      expect(opened.snapshot).toMatchObject({
        state: 'open',
        consecutiveFailures: 3,
        openedAt: ground.nowMs(),
        retryAfterMs: 1_000,
        cooldownMs: 1_000,
        reason: '3 consecutive failures, last: terminated',
      })
    })

    it('is judged in the order of its batch', async () => {
      const subject = await quick(await open(), { failureThreshold: 3 })
      const { generation } = await subject.snapshot()
      const of = (outcome: 'healthy' | 'unhealthy', count: number) => run(outcome, { count, generation })
      await subject.send([of('unhealthy', 2), of('healthy', 1), of('unhealthy', 2)])
      expect(await subject.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 2 })
    })

    it('that comes in a run longer than needed opens once; the others bear an older generation', async () => {
      const subject = await quick(await open(), { failureThreshold: 3 })
      const reply = await subject.record('unhealthy', 5)
      expect(kinds(reply)).toEqual(['opened'])
      expect(reply.late).toBe(2)
      expect(reply.snapshot).toMatchObject({ consecutiveFailures: 3, historyTotal: 5, applied: 5 })
    })
  })

  describe('an outcome while open', () => {
    it('moves counters and history, never the state or the deadline', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const opened = await subject.record('unhealthy')
      await ground.advance(400)
      const more = await subject.record('timeout', 2)
      expect(more).toMatchObject({ late: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({
        state: 'open',
        consecutiveFailures: 3,
        retryAfterMs: 600,
        generation: opened.snapshot?.generation,
        version: opened.snapshot?.version,
        historyTotal: 3,
      })
      await subject.record('healthy')
      expect(await subject.snapshot()).toMatchObject({
        state: 'open',
        consecutiveFailures: 0,
        consecutiveSuccesses: 0,
        retryAfterMs: 600,
      })
    })
  })

  describe('the generation', () => {
    it('of an outcome decides whether it counts: from an older one it is history only', async () => {
      const ground = await open()
      const subject = await quick(ground, { failureThreshold: 2 })
      const old = await subject.admit()
      await ground.advance(5)
      await subject.reset()
      const late = await subject.settle(old, 'unhealthy', { count: 3 })
      expect(late).toMatchObject({ late: 3, dropped: 0, events: [] })
      expect(await subject.snapshot()).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        historyTotal: 3,
        applied: 3,
      })
    })

    it('of the future counts as little', async () => {
      const subject = await quick(await open())
      const { generation } = await subject.snapshot()
      expect(await subject.send([run('unhealthy', { generation: generation + 1 })])).toMatchObject({
        late: 1,
      })
      expect((await subject.snapshot()).state).toBe('closed')
    })

    it('from before a pause does not prolong it', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const old = await subject.admit()
      await subject.reset()
      expect(await subject.settle(old, 'throttled', { retryAfterMs: 100 })).toMatchObject({ late: 1 })
      expect((await subject.snapshot()).throttledForMs).toBe(0)
    })

    it('grows by every transition, also into the same state, with one version and one event each', async () => {
      const ground = await open()
      const subject = await quick(ground)
      const steps = [
        ['reset', 'closed', 'closed', () => subject.reset()],
        ['opened', 'closed', 'open', () => subject.record('unhealthy')],
        ['opened', 'open', 'open', () => subject.trip(10)],
        ['opened', 'open', 'open', () => subject.trip(1_000)],
        ['reset', 'open', 'closed', () => subject.reset()],
        ['reset', 'closed', 'closed', () => subject.reset()],
      ] as const
      for (const [kind, from, to, step] of steps) {
        const before = await subject.snapshot()
        const reply = await step()
        const after = await subject.snapshot()
        expect(reply.events).toMatchObject([{ kind, from, to }])
        // Time stands still here, so each number is the one before plus one.
        expect(after.generation).toBe(before.generation + 1)
        expect(after.version).toBe(before.version + 1)
        expect(reply.events).toMatchObject([{ generation: after.generation, version: after.version }])
      }
    })

    it('is never below the clock, so that it cannot repeat after a wipe', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await ground.advance(1_000_000)
      const reply = await subject.reset()
      expect(reply.snapshot).toMatchObject({ generation: ground.nowMs(), version: ground.nowMs() })
    })

    it('does not grow by marks, pauses or settings, though the version does', async () => {
      const subject = await quick(await open())
      const { generation, version } = await subject.snapshot()
      await subject.mark('degraded')
      await subject.record('throttled', 1, { retryAfterMs: 5 })
      await subject.register({ breaker: { ...QUICK, failureThreshold: 9 } })
      await subject.resume()
      expect(await subject.snapshot()).toMatchObject({ generation, version: version + 4 })
    })
  })

  describe('reset', () => {
    it('closes, zeroes every counter, ends the pause, and leaves marks', async () => {
      const subject = await quick(await open(), { cooldownMultiplier: 2 })
      await subject.mark('degraded')
      await subject.finish(await subject.probe(), 'unhealthy')
      await subject.record('throttled', 1, { retryAfterMs: 9_000 })
      await subject.record('unhealthy')
      expect(await subject.snapshot()).toMatchObject({ consecutiveFailures: 1, probeConsecutiveFailures: 1 })
      const reply = await subject.reset()
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
      const ground = await open()
      const subject = await quick(ground)
      const reply = await subject.trip(250)
      expect(reply.events).toMatchObject([{ kind: 'opened', from: 'closed', reason: 'a test', actor: 'ops' }])
      expect(reply.snapshot).toMatchObject({ state: 'open', retryAfterMs: 250, openedAt: ground.nowMs() })
      await ground.advance(249)
      expect((await subject.snapshot()).state).toBe('open')
      await ground.advance(1)
      expect(await subject.admit()).toMatchObject({ trial: true })
    })

    it('replaces a deadline, by a nearer one or by none', async () => {
      const subject = await quick(await open())
      await subject.record('unhealthy')
      expect((await subject.trip(10)).snapshot).toMatchObject({ retryAfterMs: 10, consecutiveFailures: 1 })
      expect((await subject.trip(null)).snapshot).toMatchObject({ state: 'open', retryAfterMs: null })
      expect((await subject.reset()).snapshot).toMatchObject({ state: 'closed', retryAfterMs: 0 })
    })
  })

  describe('the cooldown', () => {
    it('grows with each opening that no closing came between, to its maximum, and begins anew', async () => {
      const ground = await open()
      const subject = await quick(ground, { cooldownMultiplier: 2, maxCooldownMs: 5_000 })
      const cooldowns: (number | null | undefined)[] = []
      for (let i = 0; i < 4; i += 1) {
        const { snapshot } = await subject.record('unhealthy')
        expect(snapshot?.cooldownMs).toBe(snapshot?.retryAfterMs)
        cooldowns.push(snapshot?.retryAfterMs)
        await ground.advance(snapshot?.retryAfterMs ?? 0)
      }
      expect(cooldowns).toEqual([1_000, 2_000, 4_000, 5_000])
      await subject.record('healthy')
      expect((await subject.record('unhealthy')).snapshot?.retryAfterMs).toBe(1_000)
    })

    it('grows by a whole millisecond at least, where it grows at all', async () => {
      const ground = await open()
      const subject = await quick(ground, { cooldownMs: 1, cooldownMultiplier: 1.5 })
      const cooldowns: (number | null | undefined)[] = []
      for (let i = 0; i < 4; i += 1) {
        const { snapshot } = await subject.record('unhealthy')
        cooldowns.push(snapshot?.retryAfterMs)
        await ground.advance(snapshot?.retryAfterMs ?? 0)
      }
      expect(cooldowns).toEqual([1, 2, 3, 4])
    })

    it('is lengthened by the drawn share of its jitter, and grows from what it was without', async () => {
      const ground = await open()
      const subject = await quick(ground, { cooldownJitter: 0.5, cooldownMultiplier: 2 })
      const failure = async () => run('unhealthy', { generation: (await subject.snapshot()).generation })
      const first = await subject.send([await failure()], { jitterDraw: 0.5 })
      expect(first.snapshot).toMatchObject({ cooldownMs: 1_000, retryAfterMs: 1_250 })
      await ground.advance(1_250)
      const second = await subject.send([await failure()], { jitterDraw: 0 })
      expect(second.snapshot).toMatchObject({ cooldownMs: 2_000, retryAfterMs: 2_000 })
    })
  })

  describe('a pause', () => {
    it('is announced with its length, and is no failure', async () => {
      const subject = await quick(await open())
      const reply = await subject.record('throttled', 1, { retryAfterMs: 3_000 })
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
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('throttled', 1, { retryAfterMs: 500 })
      await ground.advance(100)
      const shorter = await subject.record('throttled', 1, { retryAfterMs: 399 })
      expect(shorter.events).toEqual([])
      const same = await subject.record('throttled', 1, { retryAfterMs: 400 })
      expect(same.events).toEqual([])
      expect((await subject.snapshot()).throttledForMs).toBe(400)
      const longer = await subject.record('throttled', 1, { retryAfterMs: 401 })
      expect(kinds(longer)).toEqual(['throttled'])
      expect((await subject.snapshot()).throttledForMs).toBe(401)
    })
  })

  describe('a clock that steps back', () => {
    it('stands still for the provider, and then goes on', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await ground.advance(1_000)
      await subject.record('healthy')
      const { at } = await subject.snapshot()
      await ground.set(ground.nowMs() - 3_600_000)
      expect((await subject.snapshot()).at).toBe(at)
      const reply = await subject.record('healthy')
      expect(reply.nowMs).toBe(at)
      await ground.advance(100)
      expect((await subject.record('healthy')).nowMs).toBe(at + 100)
      await ground.set(ground.nowMs() - 50)
      await subject.record('healthy')
      await ground.advance(7)
      expect((await subject.snapshot()).at).toBe(at + 107)
    })

    it('moves no deadline', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await subject.record('unhealthy')
      await ground.set(ground.nowMs() - 3_600_000)
      await subject.record('unhealthy')
      expect((await subject.snapshot()).retryAfterMs).toBe(1_000)
      await ground.advance(999)
      expect(await subject.admit()).toMatchObject({ admitted: false, retryAfterMs: 1 })
      await ground.advance(1)
      expect(await subject.admit()).toMatchObject({ admitted: true, trial: true })
    })

    it('judges a command by the provider time', async () => {
      const ground = await open()
      const subject = await quick(ground)
      await ground.advance(1_000)
      await subject.record('healthy')
      const notAfterMs = ground.nowMs() - 1
      await ground.set(ground.nowMs() - 500)
      expect(await subject.store.admit('openai', subject.admission({ notAfterMs }))).toEqual({
        status: 'late',
        nowMs: notAfterMs + 1,
      })
    })
  })
}
