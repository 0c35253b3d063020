import { describe, expect, it } from 'vitest'
import { OUTCOMES, type Decision, type Permit } from '../../../src/index.js'
import { outcomeOf, QUICK, rejection, withProvider, type OpenApi } from './test-busbar.js'

/** `admit` and the permit it gives; outcomes told by hand. */
export function permitsContract(open: OpenApi): void {
  const permitOf = (decision: Decision): Permit => {
    if (!decision.admitted) throw new Error(`refused: ${decision.reason}`)
    return decision.permit
  }

  describe('admit', () => {
    it('answers with a permit', async () => {
      const { provider, source } = await withProvider(open)
      const decision = await provider.admit()
      expect(decision).toMatchObject({ admitted: true, source, permit: { trial: false } })
      expect(decision).not.toHaveProperty('wouldRefuse')
      expect(permitOf(decision).generation).toBe((await provider.snapshot()).generation)
    })

    it('answers with a refusal, as a value', async () => {
      const { provider, source } = await withProvider(open)
      await provider.trip({ reason: 'maintenance', forMs: 400 })
      expect(await provider.admit()).toEqual({
        admitted: false,
        code: 'circuit_open',
        reason: 'circuit open: maintenance',
        retryAfterMs: 400,
        source,
      })
    })

    it('gives one trial in half-open', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.recordFailure()
      await advance(1_000)
      const decisions = await Promise.all([provider.admit(), provider.admit(), provider.admit()])
      const admitted = decisions.filter((decision) => decision.admitted)
      expect(admitted).toMatchObject([{ permit: { trial: true } }])
      const refused = decisions.filter((decision) => !decision.admitted)
      expect(refused).toMatchObject([{ code: 'no_trial_free' }, { code: 'no_trial_free' }])
    })

    it('with enforce: false admits, and says what it would have refused', async () => {
      const { provider } = await withProvider(open, { breaker: { ...QUICK.breaker, enforce: false } })
      await provider.recordFailure()
      const decision = await provider.admit()
      expect(decision).toMatchObject({ admitted: true, wouldRefuse: 'circuit_open' })
      expect(await provider.shouldAllow()).toBe(true)
      expect(await provider.execute(() => 'ran')).toBe('ran')
    })
  })

  describe('a permit', () => {
    it.each(OUTCOMES)('settles with %s, once', async (outcome) => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      expect(await permit.settle(outcome)).toEqual({ applied: true })
      expect(await outcomeOf(provider)).toBe(outcome)
      expect(await permit.settle('unhealthy')).toEqual({ applied: false })
      expect(await outcomeOf(provider)).toBe(outcome)
    })

    it('settled twice at once counts once', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      const settled = await Promise.all([permit.settle('healthy'), permit.settle('unhealthy')])
      expect(settled).toEqual([{ applied: true }, { applied: false }])
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it('takes a pause, a second when none is named, and no nonsense', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      for (const retryAfterMs of [-1, NaN, Infinity, 86_400_001]) {
        const error = await rejection(permit.settle('throttled', { retryAfterMs }))
        expect(error).toMatchObject({ code: 'argument_invalid', path: 'retryAfterMs' })
      }
      await permit.settle('throttled')
      expect((await provider.snapshot()).throttledForMs).toBe(1_000)
      await provider.record('throttled', { retryAfterMs: 4_567 })
      expect((await provider.snapshot()).throttledForMs).toBe(4_567)
    })

    it('is not spent by an outcome that does not exist', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      const error = await rejection(permit.settle('fine' as 'healthy'))
      expect(error).toMatchObject({ code: 'argument_invalid', path: 'outcome' })
      expect(String(error)).toContain('fine')
      expect(await permit.settle('healthy')).toEqual({ applied: true })
    })

    it('disposed of unsettled is ignored, and gives its trial back', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.recordFailure()
      await advance(1_000)
      const { applied, historyTotal } = await provider.snapshot()
      await permitOf(await provider.admit())[Symbol.asyncDispose]()
      expect(await provider.snapshot()).toMatchObject({ trials: 0, applied: applied + 1, historyTotal })
      expect(await provider.admit()).toMatchObject({ admitted: true, permit: { trial: true } })
    })

    it('disposed of after it settled does nothing more', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      await permit.settle('degraded')
      await permit[Symbol.asyncDispose]()
      expect(await outcomeOf(provider)).toBe('degraded')
    })

    it('disposed of is spent', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      await permit[Symbol.asyncDispose]()
      expect(await permit.settle('unhealthy')).toEqual({ applied: false })
    })

    it('from before a transition decides nothing', async () => {
      const { provider } = await withProvider(open)
      const permit = permitOf(await provider.admit())
      await provider.reset()
      await permit.settle('unhealthy')
      expect(await provider.snapshot()).toMatchObject({
        state: 'closed',
        consecutiveFailures: 0,
        historyTotal: 1,
      })
    })
  })

  describe('record', () => {
    it.each(OUTCOMES)('tells %s', async (outcome) => {
      const { provider } = await withProvider(open)
      await provider.record(outcome)
      expect(await outcomeOf(provider)).toBe(outcome)
    })

    it('has short names for a success and a failure', async () => {
      const { provider } = await withProvider(open, {})
      await provider.recordSuccess()
      expect(await outcomeOf(provider)).toBe('healthy')
      await provider.recordFailure()
      expect((await provider.history()).map((entry) => entry.status)).toEqual(['healthy', 'unhealthy'])
    })

    it('refuses an outcome that does not exist', async () => {
      const { provider } = await withProvider(open)
      expect(await rejection(provider.record('ok' as 'healthy'))).toMatchObject({ path: 'outcome' })
      expect(await outcomeOf(provider)).toBe('none')
    })

    it('refuses an option that it does not know, by name, as a permit does', async () => {
      const { provider } = await withProvider(open)
      const misspelt = { retryAfter: 5 } as object
      const permit = permitOf(await provider.admit())
      for (const call of [provider.record('throttled', misspelt), permit.settle('throttled', misspelt)]) {
        const error = await rejection(call)
        expect(error).toMatchObject({ code: 'argument_invalid' })
        expect(String(error)).toContain('retryAfter')
      }
      expect(await outcomeOf(provider)).toBe('none')
    })

    it('is applied each time when told one right after the other', { timeout: 5_000 }, async () => {
      const { provider } = await withProvider(open, {})
      for (let i = 0; i < 20; i += 1) await provider.record(i % 2 === 0 ? 'healthy' : 'timeout')
      expect(await provider.snapshot()).toMatchObject({ applied: 20, historyHealthy: 10 })
    })

    it('keeps the order of those told at once, and none is lost', { timeout: 5_000 }, async () => {
      const { provider } = await withProvider(open, { breaker: { failureThreshold: 1_000 } })
      const told = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 'healthy' : 'timeout'))
      await Promise.all(told.map((outcome) => provider.record(outcome)))
      const runs = Array.from({ length: 20 }, () => [
        ['healthy', 1],
        ['timeout', 2],
      ]).flat()
      expect((await provider.history()).map(({ status, count }) => [status, count])).toEqual(runs)
      expect((await provider.snapshot()).consecutiveFailures).toBe(2)
    })

    it('is applied when told from within the wait for another', { timeout: 5_000 }, async () => {
      const { provider } = await withProvider(open, {})
      const one = async () => {
        await provider.record('healthy')
        await provider.record('degraded')
        await provider.record('healthy')
      }
      await Promise.all([one(), one(), one()])
      await provider.flush()
      expect((await provider.snapshot()).applied).toBe(9)
    })
  })
}
