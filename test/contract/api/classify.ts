import { describe, expect, it, vi } from 'vitest'
import type { Classify } from '../../../src/index.js'
import { eventually } from '../../harness/eventually.mjs'
import { logbook, outcomeOf, pastLimit, QUICK, rejection, withProvider, type OpenApi } from './test-busbar.js'

/** How a call is judged by what it returned or threw. */
export function classifyContract(open: OpenApi): void {
  const response = (status: number, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers(headers),
  })

  describe('a returned HTTP response', () => {
    it.each([
      [200, 'healthy'],
      [408, 'timeout'],
      [425, 'throttled'],
      [429, 'throttled'],
      [500, 'unhealthy'],
    ] as const)('with status %i is %s, and is given back', async (status, outcome) => {
      const { provider } = await withProvider(open)
      const result = response(status)
      expect(await provider.execute(() => result)).toBe(result)
      expect(await outcomeOf(provider)).toBe(outcome)
    })

    it.each([401, 404, 407])('with status %i is no failure', async (status) => {
      const { provider } = await withProvider(open)
      await provider.execute(() => response(status))
      expect(await provider.snapshot()).toMatchObject({ state: 'closed', historyTotal: 0, applied: 1 })
    })

    it('is a real one of fetch', async () => {
      const { provider } = await withProvider(open)
      await provider.execute(() => new Response('busy', { status: 503 }))
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('is seen in the shape of other clients: statusCode, and headers in a plain object', async () => {
      const { provider } = await withProvider(open)
      await provider.execute(() => ({ statusCode: 503, headers: {} }))
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('keeps what its status says when it was slow, unless it was well', async () => {
      const { provider, spend } = await withProvider(open, { ...QUICK, slowMs: 10 })
      await provider.execute(async () => (await spend(15), response(429)))
      expect(await outcomeOf(provider)).toBe('throttled')
    })
  })

  describe('judge', () => {
    const closed = { state: 'closed', historyTotal: 0 }
    it.each([
      ['without options', undefined],
      ['with options', { timeoutMs: 60_000 }],
    ])('has a call judged by what it was given, %s', async (_, options) => {
      const { provider } = await withProvider(open)
      const body = await provider.execute(({ judge }) => ({ error: judge(response(503)).status }), options)
      expect(body).toEqual({ error: 503 })
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('is there late in the function too, and for each of many calls at once', async () => {
      const { provider } = await withProvider(open, { breaker: { failureThreshold: 100 } })
      const call = (status: number) =>
        provider.execute(async (context) => {
          await new Promise((resolve) => setImmediate(resolve))
          context.judge(response(status))
        })
      await Promise.all([call(500), call(200), call(500), call(200)])
      await provider.execute(() => 1)
      const counts = (await provider.history()).map(({ status, count }) => [status, count])
      expect(
        counts.filter(([status]) => status === 'unhealthy').reduce((sum, [, n]) => sum + Number(n), 0),
      ).toBe(2)
      expect((await provider.snapshot()).historyTotal).toBe(5)
    })

    it('outranks the error that came of an answer that was not well', async () => {
      const { provider } = await withProvider(open)
      await rejection(
        provider.execute(({ judge }) => {
          judge(response(404))
          throw new SyntaxError('no JSON')
        }),
      )
      expect(await provider.snapshot()).toMatchObject(closed)
    })

    it('leaves an error after an answer that was well to itself', async () => {
      const { provider } = await withProvider(open)
      await rejection(
        provider.execute(({ judge }) => {
          judge(response(200))
          throw new SyntaxError('no JSON')
        }),
      )
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })
  })

  describe('the pause after a 429', () => {
    it('is what Retry-After says', async () => {
      const { provider } = await withProvider(open)
      await provider.execute(() => response(429, { 'Retry-After': '1.5' }))
      expect((await provider.snapshot()).throttledForMs).toBe(1_500)
    })

    it('is what the error says, in any case', async () => {
      const { provider } = await withProvider(open)
      const error = Object.assign(new Error('busy'), { status: 429, headers: { 'Retry-After': '3' } })
      await rejection(provider.execute(() => Promise.reject(error)))
      expect((await provider.snapshot()).throttledForMs).toBe(3_000)
    })

    it.each([
      ['10 minutes at most', QUICK, 600_000],
      ['no longer than maxThrottleMs', { breaker: { maxThrottleMs: 2_000 } }, 2_000],
    ])('is %s, of whichever call', async (_, settings, pauseMs) => {
      const { provider } = await withProvider(open, settings)
      await provider.execute(() => response(429, { 'Retry-After': '999999999' }))
      expect((await provider.snapshot()).throttledForMs).toBe(pauseMs)
      await provider.reset()
      await provider.record('throttled', { retryAfterMs: 1_000_000 })
      expect((await provider.snapshot()).throttledForMs).toBe(pauseMs)
    })
  })

  describe('a thrown error', () => {
    const withFields = (fields: object) => Object.assign(new Error('http'), fields)
    it.each<[string, unknown, string]>([
      ['status 500', withFields({ status: 500 }), 'unhealthy'],
      ['status 429', withFields({ status: 429 }), 'throttled'],
      ['the code of a time limit', withFields({ code: 'ETIMEDOUT' }), 'timeout'],
      ['nothing of HTTP', withFields({}), 'unhealthy'],
      ['no object: a string', 'just text', 'unhealthy'],
      ['no object: undefined', undefined, 'unhealthy'],
    ])('with %s is judged, and passed on', async (_, error, outcome) => {
      const { provider } = await withProvider(open)
      // Anything can be thrown; that is what is tested.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      expect(await rejection(provider.execute(() => Promise.reject(error)))).toBe(error)
      expect(await outcomeOf(provider)).toBe(outcome)
    })

    it('that is a bug of the program is ignored, and logged once', async () => {
      const book = logbook()
      const { provider } = await withProvider(open, QUICK, { logger: book.logger })
      const nothing: { text?: string } = {}
      // What a program does by mistake.
      // eslint-disable-next-line @typescript-eslint/no-non-null-assertion
      const bug = () => provider.execute(() => nothing.text!.length)
      await rejection(bug())
      await rejection(bug())
      expect(await provider.snapshot()).toMatchObject({ state: 'closed', historyTotal: 0, applied: 2 })
      expect(book.lines.filter(([level]) => level === 'error')).toEqual([
        [
          'error',
          expect.objectContaining({ provider: 'openai' }),
          expect.stringContaining('a bug of the program'),
        ],
      ])
    })
  })

  describe('what was seen', () => {
    const http = (status: number) => Object.assign(new Error('secret'), { status })
    it.each<[string, () => unknown, string]>([
      ['the status of a response', () => response(503), 'unhealthy (HTTP 503)'],
      ['the status in an error', () => Promise.reject(http(502)), 'unhealthy (HTTP 502)'],
      [
        'the code of an error',
        () => Promise.reject(Object.assign(new Error('secret'), { code: 'ECONNRESET' })),
        'unhealthy (ECONNRESET)',
      ],
      [
        'the code of its cause',
        () => Promise.reject(new TypeError('secret', { cause: { code: 'ENOTFOUND' } })),
        'unhealthy (ENOTFOUND)',
      ],
      ['the name of an error', () => Promise.reject(new SyntaxError('secret')), 'unhealthy (SyntaxError)'],
    ])('is told in the reason: %s, and never a message', async (_, fn, seen) => {
      const { provider } = await withProvider(open)
      await provider.execute(fn).catch(() => undefined)
      const { reason } = await provider.snapshot()
      expect(reason).toBe(`1 consecutive failures, last: ${seen}`)
      expect(JSON.stringify(await provider.events())).not.toContain('secret')
    })

    it('is told of a timeout, and by hand', async () => {
      const { provider, ...testStore } = await withProvider(open)
      const call = provider.execute(() => new Promise(() => undefined), { timeoutMs: 5 })
      await rejection(pastLimit(testStore, 5, call))
      const { reason } = await provider.snapshot()
      expect(reason).toBe('1 consecutive failures, last: timeout (no result within 5 ms)')
      await provider.reset()
      await provider.record('terminated', { detail: 'exit code 137' })
      expect((await provider.snapshot()).reason).toBe(
        '1 consecutive failures, last: terminated (exit code 137)',
      )
      expect(await rejection(provider.record('timeout', { detail: 'x'.repeat(201) }))).toMatchObject({
        code: 'argument_invalid',
        path: 'detail',
      })
    })
  })

  describe('classify', () => {
    const classified = async (classify: Classify, settings = QUICK) => {
      const book = logbook()
      const testStore = await open({ logger: book.logger })
      const provider = await testStore.busbar.provider('openai', settings, { classify })
      return { ...testStore, ...book, provider }
    }

    it('is given the result or the error', async () => {
      const classify = vi.fn<Classify>(() => 'healthy')
      const { provider } = await classified(classify)
      const error = new Error('down')
      await provider.execute(() => 5)
      await rejection(provider.execute(() => Promise.reject(error)))
      expect(classify.mock.calls).toEqual([
        [5, undefined],
        [undefined, error],
      ])
      expect((await provider.history()).map(({ status, count }) => [status, count])).toEqual([['healthy', 2]])
    })

    it('overrides what the result, its status or its slowness would say', async () => {
      const { provider, spend } = await classified(() => 'terminated', { ...QUICK, slowMs: 5 })
      const result = response(200)
      expect(await provider.execute(async () => (await spend(10), result))).toBe(result)
      expect(await outcomeOf(provider)).toBe('terminated')
    })

    it('may ask for a pause', async () => {
      const { provider } = await classified(() => ({ outcome: 'throttled', retryAfterMs: 1_234 }))
      await provider.execute(() => 1)
      expect((await provider.snapshot()).throttledForMs).toBe(1_234)
    })

    it.each<[string, unknown]>([
      ['nothing', undefined],
      ['null', null],
      ['a word that is no outcome', 'broken'],
      ['an object that is no verdict', { result: 'healthy' }],
      ['a number', 3],
    ])('that says %s leaves the judgement to Busbar', async (_, said) => {
      const { provider } = await classified(() => said as undefined)
      await provider.execute(() => response(503))
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it.each<[string, unknown, string]>([
      [
        'a misspelt outcome',
        'unhelthy',
        'classify answered "unhelthy": expected undefined, one of healthy, ',
      ],
      [
        'a misspelt outcome in a verdict',
        { outcome: 'helthy' },
        'classify answered outcome: "helthy": expected',
      ],
      [
        'an object that is no verdict',
        { token: 's' },
        'classify answered an object without outcome: expected',
      ],
      [
        'a promise',
        Promise.resolve('healthy'),
        'classify answered a promise: expected undefined, one of healthy, ',
      ],
    ])('that answers %s is refused in words, once, and every time counted', async (_, said, words) => {
      const { provider, busbar, lines } = await classified(() => said as undefined)
      expect(await provider.execute(() => 5)).toBe(5)
      expect(await rejection(provider.execute(() => Promise.reject(new Error('down'))))).toMatchObject({
        message: 'down',
      })
      expect(busbar.counters.callbacksFailed).toBe(2)
      const errors = lines.filter(([level]) => level === 'error')
      expect(errors).toEqual([['error', { provider: 'openai' }, expect.stringContaining(words)]])
      expect(errors[0]?.[2]).toContain('client_error, ignored, throttled')
      expect((await provider.history()).map(({ status }) => status)).toEqual(['healthy', 'unhealthy'])
    })

    it.each<[string, object, string]>([
      ['a field that no verdict has', { retryAfter: 5 }, 'an unknown field "retryAfter"'],
      ['a pause that is no number', { retryAfterMs: '5' }, 'retryAfterMs: "5": expected a number, 0 or more'],
      ['a detail that is no text', { detail: 5 }, 'detail: 5: expected text'],
    ])('that answers %s is told so, and the rest of the verdict holds', async (_, wrong, words) => {
      const { provider, busbar, lines } = await classified(() => ({ outcome: 'throttled', ...wrong }))
      await provider.execute(() => 5)
      expect((await provider.snapshot()).throttledForMs).toBe(1_000)
      expect(busbar.counters.callbacksFailed).toBe(1)
      expect(lines.find(([level]) => level === 'error')?.[2]).toContain(words)
    })

    it('that throws is logged and counted, and the call stands as Busbar judges it', async () => {
      const failure = new Error('in the classifier')
      const { provider, busbar, lines } = await classified(() => {
        throw failure
      })
      expect(await provider.execute(() => 5)).toBe(5)
      expect(await outcomeOf(provider)).toBe('healthy')
      expect(busbar.counters.callbacksFailed).toBe(1)
      expect(lines).toContainEqual(['error', { err: failure, provider: 'openai' }, 'classify failed'])
    })

    it('that is async and rejects is counted, and its rejection hurts nobody', async () => {
      // A caller without types: the promise is no verdict.
      const { provider, busbar } = await classified((() => Promise.reject(new Error('later'))) as never)
      expect(await provider.execute(() => response(503))).toMatchObject({ status: 503 })
      expect(await outcomeOf(provider)).toBe('unhealthy')
      await eventually(() => expect(busbar.counters.callbacksFailed).toBe(1))
    })

    it('is not asked about a timeout, nor about a call that its caller gave up', async () => {
      const classify = vi.fn<Classify>(() => 'healthy')
      const { provider, ...testStore } = await classified(classify)
      const forever = () => new Promise<never>(() => undefined)
      await rejection(pastLimit(testStore, 5, provider.execute(forever, { timeoutMs: 5 })))
      await provider.reset()
      const caller = new AbortController()
      const begins = () => {
        setImmediate(() => caller.abort())
        return forever()
      }
      await rejection(provider.execute(begins, { signal: caller.signal }))
      expect(classify).not.toHaveBeenCalled()
    })

    it('can be given to a handle later', async () => {
      const { provider, busbar } = await withProvider(open)
      await busbar.provider('openai', undefined, { classify: () => 'degraded' })
      await provider.execute(() => 1)
      expect(await outcomeOf(provider)).toBe('degraded')
    })
  })
}
