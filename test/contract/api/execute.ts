import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { CallRefusedError, CallTimeoutError, isBusbarError, type Provider } from '../../../src/index.js'
import { outcomeOf, pastLimit, QUICK, rejection, withProvider } from './ground.js'
import type { ApiGround, OpenApi } from './ground.js'

/** `execute` and `wrap`: a call, let through or not, and what the fleet is told of its end. */
export function executeContract(open: OpenApi): void {
  const never = () => new Promise<never>(() => undefined)

  /** A call without end that is under way, or soon will be. */
  function begun(provider: Provider, caller: AbortController) {
    let began: (signal: AbortSignal) => void = () => undefined
    const started = new Promise<AbortSignal>((resolve) => {
      began = resolve
    })
    const call = ({ signal }: { signal: AbortSignal }) => {
      began(signal)
      return never()
    }
    return { started, ended: provider.execute(call, { signal: caller.signal }) }
  }

  describe('execute', () => {
    it('gives what the function returns, of its type, and tells that it went well', async () => {
      const { provider } = await withProvider(open)
      const answer = await provider.execute(() => Promise.resolve({ text: 'hello' }))
      expectTypeOf(answer).toEqualTypeOf<{ text: string }>()
      expect(answer).toEqual({ text: 'hello' })
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it('takes a function that is not async', async () => {
      const { provider } = await withProvider(open)
      const answer = await provider.execute(() => 7)
      expectTypeOf(answer).toBeNumber()
      expect(answer).toBe(7)
    })

    it.each([
      ['rejects', (error: Error) => Promise.reject(error)],
      [
        'throws',
        (error: Error) => {
          throw error
        },
      ],
    ])('passes on the very error when the function %s, and tells that it failed', async (_, fail) => {
      const { provider } = await withProvider(open)
      const error = new Error('out of order')
      expect(await rejection(provider.execute(() => fail(error)))).toBe(error)
      expect(await outcomeOf(provider)).toBe('unhealthy')
      expect(await provider.state()).toBe('open')
    })

    it('gives the function a signal, and says whether it is the trial', async () => {
      const { provider, advance } = await withProvider(open)
      const seen: { aborted: boolean; trial: boolean }[] = []
      const look = () =>
        provider.execute(({ signal, trial }) => void seen.push({ aborted: signal.aborted, trial }))
      await look()
      await provider.recordFailure()
      await advance(1_000)
      await look()
      expect(seen).toEqual([
        { aborted: false, trial: false },
        { aborted: false, trial: true },
      ])
      expect(await provider.state()).toBe('closed')
    })

    type Block = (opened: ApiGround & { provider: Provider }) => Promise<unknown>
    it.each<[string, Block, number | null]>([
      ['circuit_open', ({ provider }) => provider.recordFailure(), 1_000],
      [
        'no_trial_free',
        async ({ provider, advance }) => {
          await provider.recordFailure()
          await advance(1_000)
          await provider.admit()
        },
        1_000,
      ],
      ['marked_unhealthy', ({ provider }) => provider.markUnhealthy({ forMs: 50 }), 50],
      ['marked_terminated', ({ provider }) => provider.markTerminated(), null],
      ['throttled', ({ provider }) => provider.record('throttled', { retryAfterMs: 70 }), 70],
    ])('refuses with %s, without calling, and tells nobody', async (code, block, retryAfterMs) => {
      const opened = await withProvider(open)
      const { provider } = opened
      await block(opened)
      const { applied } = await provider.snapshot()
      const fn = vi.fn()
      const error = await rejection(provider.execute(fn))
      expect(error).toBeInstanceOf(CallRefusedError)
      expect(error).toMatchObject({ name: 'CallRefusedError', code, providerId: 'openai', retryAfterMs })
      expect(isBusbarError(error)).toBe(true)
      expect(fn).not.toHaveBeenCalled()
      expect((await provider.snapshot()).applied).toBe(applied)
    })

    it('refuses what is no function and a time limit that is none', async () => {
      const { provider } = await withProvider(open)
      // A caller without types.
      const untyped = provider as unknown as { execute(...args: unknown[]): Promise<unknown> }
      expect(await rejection(untyped.execute('fn'))).toMatchObject({ code: 'argument_invalid', path: 'fn' })
      for (const timeoutMs of [0, -1, NaN, Infinity, 86_400_001, '5']) {
        const error = await rejection(untyped.execute(() => 1, { timeoutMs }))
        expect(error).toMatchObject({ code: 'argument_invalid', path: 'timeoutMs' })
      }
      expect(await outcomeOf(provider)).toBe('none')
    })

    it('refuses an option that it does not know, by name', async () => {
      const { provider } = await withProvider(open)
      const untyped = provider as unknown as { execute(...args: unknown[]): Promise<unknown> }
      const error = await rejection(untyped.execute(() => 1, { timeout: 5 }))
      expect(error).toMatchObject({ code: 'argument_invalid' })
      expect(String(error)).toContain('timeout')
      const nothing = await rejection(untyped.execute(() => 1, null))
      expect(nothing).toMatchObject({ code: 'argument_invalid' })
    })
  })

  describe('execute with timeoutMs', () => {
    it('ends with CallTimeoutError, aborts the signal with it, and tells `timeout`', async () => {
      const { provider, ...ground } = await withProvider(open)
      let given: AbortSignal | undefined
      const call = provider.execute(({ signal }) => ((given = signal), never()), { timeoutMs: 15 })
      const error = await rejection(pastLimit(ground, 15, call))
      expect(error).toBeInstanceOf(CallTimeoutError)
      expect(error).toMatchObject({ code: 'call_timeout', providerId: 'openai', timeoutMs: 15 })
      expect(given?.aborted).toBe(true)
      expect(given?.reason).toBe(error)
      expect(await outcomeOf(provider)).toBe('timeout')
    })

    it('tells `timeout` also when the function rejects because its signal was aborted', async () => {
      const { provider, ...ground } = await withProvider(open)
      const obedient = ({ signal }: { signal: AbortSignal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('I was aborted'))))
      const error = await rejection(pastLimit(ground, 15, provider.execute(obedient, { timeoutMs: 15 })))
      expect(error).toMatchObject({ code: 'call_timeout' })
      expect(await outcomeOf(provider)).toBe('timeout')
    })

    it('leaves a call alone that ends in time', async () => {
      const { provider } = await withProvider(open)
      let given: AbortSignal | undefined
      const call = provider.execute(({ signal }) => ((given = signal), 'done'), { timeoutMs: 60_000 })
      expect(await call).toBe('done')
      expect(given?.aborted).toBe(false)
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it('holds a trial for as long as the call may last, and a second', async () => {
      const settings = { breaker: { ...QUICK.breaker, trialLeaseMs: 100 } }
      const { provider, advance } = await withProvider(open, settings)
      await provider.recordFailure()
      await advance(1_000)
      let lease = 0
      await provider.execute(async () => (lease = (await provider.snapshot()).trialFreeInMs), {
        timeoutMs: 7_000,
      })
      expect(lease).toBe(8_000)
    })
  })

  describe('execute with the signal of its caller', () => {
    it('rejects with its reason when it is aborted, hands the abort on, and tells `ignored`', async () => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      const reason = new Error('changed my mind')
      const call = begun(provider, caller)
      const signal = await call.started
      caller.abort(reason)
      expect(await rejection(call.ended)).toBe(reason)
      expect(signal.aborted).toBe(true)
      expect(signal.reason).toBe(reason)
      expect(await outcomeOf(provider)).toBe('ignored')
      expect(await provider.state()).toBe('closed')
    })

    it(
      'rejects with its reason when it is aborted while the function begins',
      { timeout: 3_000 },
      async () => {
        const { provider } = await withProvider(open)
        const caller = new AbortController()
        const call = provider.execute(() => (caller.abort('at once'), never()), { signal: caller.signal })
        expect(await rejection(call)).toBe('at once')
        expect(await outcomeOf(provider)).toBe('ignored')
      },
    )

    it('does not call at all when it is aborted already', async () => {
      const { provider } = await withProvider(open)
      const fn = vi.fn()
      const signal = AbortSignal.abort('no more')
      expect(await rejection(provider.execute(fn, { signal }))).toBe('no more')
      expect(fn).not.toHaveBeenCalled()
      expect(await outcomeOf(provider)).toBe('none')
    })

    it('gives a trial back when it is aborted', async () => {
      const { provider, advance } = await withProvider(open)
      await provider.recordFailure()
      await advance(1_000)
      const caller = new AbortController()
      const call = begun(provider, caller)
      await call.started
      expect(await provider.snapshot()).toMatchObject({ state: 'half_open', trials: 1 })
      caller.abort('later')
      expect(await rejection(call.ended)).toBe('later')
      expect(await provider.snapshot()).toMatchObject({ state: 'half_open', trials: 0 })
      expect(await provider.admit()).toMatchObject({ admitted: true, permit: { trial: true } })
    })

    it('leaves nothing behind on it', async () => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      const removed = vi.spyOn(caller.signal, 'removeEventListener')
      const added = vi.spyOn(caller.signal, 'addEventListener')
      await provider.execute(() => 1, { signal: caller.signal, timeoutMs: 60_000 })
      expect(added.mock.calls.length).toBe(1)
      expect(removed.mock.calls.map(([kind, listener]) => [kind, listener])).toEqual(
        added.mock.calls.map(([kind, listener]) => [kind, listener]),
      )
    })
  })

  describe('execute with a fallback', () => {
    it('answers with it instead of a failure, and the failure is told all the same', async () => {
      const { provider } = await withProvider(open)
      const error = new Error('down')
      const seen: unknown[] = []
      const fallback = (given: unknown) => {
        seen.push(given)
        return 'cached' as const
      }
      const failing = (): Promise<number> => Promise.reject(error)
      const answer = await provider.execute(failing, { fallback })
      expectTypeOf(answer).toEqualTypeOf<number | 'cached'>()
      expect(answer).toBe('cached')
      expect(seen).toEqual([error])
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('answers with it instead of a refusal and of a timeout', async () => {
      const { provider, ...ground } = await withProvider(open)
      const codes: unknown[] = []
      const fallback = async (error: unknown) => {
        await Promise.resolve()
        codes.push(isBusbarError(error) && error.code)
        return 'cached'
      }
      const late = provider.execute(never, { timeoutMs: 10, fallback })
      expect(await pastLimit(ground, 10, late)).toBe('cached')
      expect(await provider.execute(never, { fallback })).toBe('cached')
      expect(codes).toEqual(['call_timeout', 'circuit_open'])
    })

    it('passes on what the fallback throws', async () => {
      const { provider } = await withProvider(open)
      await provider.recordFailure()
      const fallback = () => {
        throw new Error('no cache either')
      }
      await expect(provider.execute(never, { fallback })).rejects.toThrow('no cache either')
    })

    it('does not answer a caller who aborted', async () => {
      const { provider } = await withProvider(open)
      const fallback = vi.fn()
      const signal = AbortSignal.abort('gone')
      expect(await rejection(provider.execute(never, { signal, fallback }))).toBe('gone')
      expect(fallback).not.toHaveBeenCalled()
    })
  })

  describe('execute with slowMs', () => {
    const settings = { ...QUICK, slowMs: 20 }

    it('tells `degraded` of a call that returned slower', async () => {
      const { provider, spend } = await withProvider(open, settings)
      expect(await provider.execute(async () => (await spend(25), 'late'))).toBe('late')
      expect(await outcomeOf(provider)).toBe('degraded')
    })

    it('tells `unhealthy` of a call that failed slower', async () => {
      const { provider, spend } = await withProvider(open, settings)
      const call = provider.execute(async () => {
        await spend(25)
        throw new Error('late and wrong')
      })
      await expect(call).rejects.toThrow('late and wrong')
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('tells `healthy` of a call that took no time', async () => {
      const { provider } = await withProvider(open, { ...QUICK, slowMs: 60_000 })
      await provider.execute(() => 1)
      expect(await outcomeOf(provider)).toBe('healthy')
    })
  })

  describe('wrap', () => {
    it('makes the same function, guarded: its arguments, its `this`, its result', async () => {
      const { provider } = await withProvider(open)
      function ask(this: { name: string }, question: string, times: number) {
        return Promise.resolve(`${this.name}: ${question.repeat(times)}`)
      }
      const guarded = { name: 'gpt', ask: provider.wrap(ask) }
      expectTypeOf(guarded.ask).parameters.toEqualTypeOf<[string, number]>()
      expectTypeOf(guarded.ask).returns.resolves.toBeString()
      expect(await guarded.ask('why', 2)).toBe('gpt: whywhy')
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it('passes each call through execute, with the options given once', async () => {
      const { provider } = await withProvider(open)
      const guarded = provider.wrap((fail: boolean) => (fail ? Promise.reject(new Error('down')) : 1), {
        fallback: (error) => (isBusbarError(error, 'circuit_open') ? 'refused' : 'failed'),
      })
      const first = [await guarded(false), await guarded(true)]
      // Cached, a call does not wait for its failure to be known.
      await provider.flush()
      expect([...first, await guarded(false)]).toEqual([1, 'failed', 'refused'])
    })
  })
}
