import { getEventListeners, once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { CallRefusedError, CallTimeoutError, isBusbarError, type Provider } from '../../../src/index.js'
import { logbook, outcomeOf, pastLimit, QUICK, rejection, withProvider } from './test-busbar.js'
import type { BusbarUnderTest, OpenApi } from './test-busbar.js'

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

    type Block = (opened: BusbarUnderTest & { provider: Provider }) => Promise<unknown>
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
      const { provider, ...testStore } = await withProvider(open)
      let given: AbortSignal | undefined
      const call = provider.execute(({ signal }) => ((given = signal), never()), { timeoutMs: 15 })
      const error = await rejection(pastLimit(testStore, 15, call))
      expect(error).toBeInstanceOf(CallTimeoutError)
      expect(error).toMatchObject({ code: 'call_timeout', providerId: 'openai', timeoutMs: 15 })
      expect(given?.aborted).toBe(true)
      expect(given?.reason).toBe(error)
      expect(await outcomeOf(provider)).toBe('timeout')
    })

    it('tells `timeout` also when the function rejects because its signal was aborted', async () => {
      const { provider, ...testStore } = await withProvider(open)
      const obedient = ({ signal }: { signal: AbortSignal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('I was aborted'))))
      const error = await rejection(pastLimit(testStore, 15, provider.execute(obedient, { timeoutMs: 15 })))
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

  describe('an abort by the caller after the call', () => {
    const streams: [string, () => object][] = [
      ['a Response', () => new Response(new ReadableStream())],
      [
        'a body in a field',
        () => ({ statusCode: 200, headers: {}, body: new Readable({ read: () => undefined }) }),
      ],
      [
        'data in a field',
        () => ({ status: 200, headers: {}, data: new Readable({ read: () => undefined }) }),
      ],
    ]
    const signalOf = async (provider: Provider, result: unknown, caller: AbortController) => {
      const held: AbortSignal[] = []
      const call = ({ signal }: { signal: AbortSignal }) => {
        held.push(signal)
        return result
      }
      await provider.execute(call, { signal: caller.signal, timeoutMs: 60_000 })
      const [signal] = held
      if (signal === undefined) throw new Error('it was not called')
      return signal
    }

    it.each(streams)('reaches what still streams: %s', async (_, stream) => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      // The stream is to be held, as one that reads it holds it.
      const result = stream()
      const signal = await signalOf(provider, result, caller)
      caller.abort('stop')
      expect([signal.aborted, signal.reason, typeof result]).toEqual([true, 'stop', 'object'])
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it.each<[string, () => unknown]>([
      ['a plain value', () => ({ text: 'hello' })],
      ['a response without a body', () => new Response(null, { status: 204 })],
    ])('reaches nothing more of %s', async (_, result) => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      const signal = await signalOf(provider, result(), caller)
      expect(getEventListeners(caller.signal, 'abort')).toEqual([])
      caller.abort()
      expect(signal.aborted).toBe(false)
    })

    it('is waited for no longer than the stream is open', async () => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      const body = new Readable({ read: () => undefined })
      await signalOf(provider, { statusCode: 200, headers: {}, body }, caller)
      expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1)
      body.destroy()
      await once(body, 'close')
      expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    })
  })

  describe('a signal aborted for a time limit', () => {
    it('is a timeout', async () => {
      const { provider } = await withProvider(open)
      const caller = new AbortController()
      const call = begun(provider, caller)
      await call.started
      caller.abort(new DOMException('too late', 'TimeoutError'))
      expect(await rejection(call.ended)).toBe(caller.signal.reason)
      expect(await outcomeOf(provider)).toBe('timeout')
    })

    it('says nothing of the provider where the call did not begin', async () => {
      const { provider } = await withProvider(open)
      const signal = AbortSignal.abort(new DOMException('too late', 'TimeoutError'))
      await rejection(provider.execute(never, { signal }))
      expect(await outcomeOf(provider)).toBe('none')
    })
  })

  describe('a standstill of the event loop of this process', () => {
    const standStill = (ms: number) => {
      const until = performance.now() + ms
      while (performance.now() < until);
    }

    it('makes a timeout say nothing of the provider, and is counted', async () => {
      const { provider, busbar, spend } = await withProvider(open)
      let began = (): void => undefined
      const underWay = new Promise<void>((resolve) => {
        began = resolve
      })
      const forever = () => (began(), never())
      const call = provider.execute(forever, { timeoutMs: 300, fallback: () => 'cached' })
      await underWay
      standStill(400)
      await spend(300)
      expect(await call).toBe('cached')
      expect(await outcomeOf(provider)).toBe('ignored')
      expect(busbar.counters.callsStalled).toBe(1)
    })

    it('does not, where it was before the call', async () => {
      const { provider, busbar, ...testStore } = await withProvider(open, {
        breaker: { failureThreshold: 2 },
      })
      const other = provider.execute(never, { timeoutMs: 5_000 })
      other.catch(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))
      standStill(400)
      await rejection(pastLimit(testStore, 1_000, provider.execute(never, { timeoutMs: 1_000 })))
      expect((await provider.history()).map(({ status }) => status)).toEqual(['timeout'])
      expect(busbar.counters.callsStalled).toBe(0)
    })

    it.each([
      ['slower than slowMs for that alone', 201, 'ignored'],
      ['slower all the same', 2_000, 'degraded'],
    ] as const)('of a call that was %s', async (_, spentMs, outcome) => {
      const { provider, spend } = await withProvider(open, { ...QUICK, slowMs: 200 })
      await provider.execute(async () => {
        await new Promise((resolve) => setImmediate(resolve))
        standStill(250)
        await spend(spentMs)
      })
      expect(await outcomeOf(provider)).toBe(outcome)
    })
  })

  describe('execute with a fallback', () => {
    it.each<[string, unknown]>([
      ['a client error', Object.assign(new Error('not found'), { status: 404 })],
      ['a call that was cancelled', new DOMException('stop', 'AbortError')],
    ])('does not answer for %s', async (_, error) => {
      const { provider } = await withProvider(open)
      // What fetch throws is no Error by its type.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      const call = provider.execute(() => Promise.reject(error), { fallback: () => 'cached' })
      expect(await rejection(call)).toBe(error)
    })

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
      const { provider, ...testStore } = await withProvider(open)
      const codes: unknown[] = []
      const fallback = async (error: unknown) => {
        await Promise.resolve()
        codes.push(isBusbarError(error) && error.code)
        return 'cached'
      }
      const late = provider.execute(never, { timeoutMs: 10, fallback })
      expect(await pastLimit(testStore, 10, late)).toBe('cached')
      // The fallback does not wait for the outcome, and a call that began before it would be let through. Where the machine stood
      // still, the timeout is ignored and opens nothing.
      if ((await outcomeOf(provider)) === 'ignored') await provider.recordFailure()
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

    it('gives the context as the first argument where that is asked for', async () => {
      const { provider } = await withProvider(open)
      const seen: unknown[] = []
      const guarded = provider.wrap(
        ({ signal, judge }, question: string) => {
          seen.push(signal instanceof AbortSignal, question)
          return judge(question.length)
        },
        { context: true },
      )
      expectTypeOf(guarded).parameters.toEqualTypeOf<[string]>()
      expect(await guarded('why')).toBe(3)
      expect(seen).toEqual([true, 'why'])
    })

    it('aborts the signal of that context at timeoutMs', async () => {
      const { provider, ...testStore } = await withProvider(open)
      const held: AbortSignal[] = []
      const guarded = provider.wrap(({ signal }) => (held.push(signal), never()), {
        context: true,
        timeoutMs: 10,
      })
      expect(await rejection(pastLimit(testStore, 10, guarded()))).toBeInstanceOf(CallTimeoutError)
      expect(held.map(({ aborted }) => aborted)).toEqual([true])
    })

    it('refuses a context that is no flag', async () => {
      const { provider } = await withProvider(open)
      // A caller without types.
      expect(() => provider.wrap(never, { context: 'yes' } as never)).toThrow(
        /context: expected true or false, got "yes"/,
      )
    })
  })

  describe('timeoutMs of the handle', () => {
    it('is that of calls that name none', async () => {
      const { busbar, ...testStore } = await open()
      const provider = await busbar.provider('openai', QUICK, { timeoutMs: 10 })
      expect(await rejection(pastLimit(testStore, 10, provider.execute(never)))).toMatchObject({
        timeoutMs: 10,
      })
      await provider.reset()
      const named = provider.execute(never, { timeoutMs: 20 })
      expect(await rejection(pastLimit(testStore, 20, named))).toMatchObject({ timeoutMs: 20 })
    })

    it.each([0, -1, 86_400_001, '5'])('is refused where it makes no sense: %j', async (timeoutMs) => {
      const { busbar } = await open()
      // A caller without types.
      const registering = busbar.provider('openai', QUICK, { timeoutMs: timeoutMs as number })
      await expect(registering).rejects.toThrow(/timeoutMs: expected a number from 1 to 86400000/)
    })
  })

  describe('calls that end in aborts', () => {
    const stop = (provider: Provider) =>
      rejection(provider.execute(() => Promise.reject(new DOMException('stop', 'AbortError'))))

    it.each([
      ['most of a minute', 1, 1],
      ['less than half of a minute', 9, 0],
    ])('are logged once: %s', async (_, others, lines) => {
      const book = logbook()
      const { provider, spend } = await withProvider(open, QUICK, { logger: book.logger })
      for (let i = 0; i < 6; i += 1) await stop(provider)
      for (let i = 0; i < others; i += 1) await provider.execute(() => 1)
      await spend(60_000)
      await stop(provider)
      await stop(provider)
      const warned = book.lines.filter(
        ([level, , message]) => level === 'warn' && message.includes('timeoutMs'),
      )
      expect(warned).toHaveLength(lines)
    })
  })
}
