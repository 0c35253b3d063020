import { describe, expect, it, vi } from 'vitest'
import type { Classify } from '../../../src/index.js'
import { eventually } from '../../harness/eventually.mjs'
import { logbook, outcomeOf, pastLimit, QUICK, rejection, withProvider, type OpenApi } from './ground.js'

/** How a call is judged by what it returned or threw. */
export function classifyContract(open: OpenApi): void {
  const response = (status: number, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers(headers),
  })

  describe('a returned HTTP response', () => {
    it.each([
      [100, 'healthy'],
      [200, 'healthy'],
      [304, 'healthy'],
      [399, 'healthy'],
      [400, 'client_error'],
      [404, 'client_error'],
      [407, 'ignored'],
      [428, 'client_error'],
      [429, 'throttled'],
      [430, 'client_error'],
      [499, 'client_error'],
      [500, 'unhealthy'],
      [503, 'unhealthy'],
      [599, 'unhealthy'],
    ] as const)('with status %i is %s, and is given back', async (status, outcome) => {
      const { provider } = await withProvider(open)
      const result = response(status)
      expect(await provider.execute(() => result)).toBe(result)
      expect(await outcomeOf(provider)).toBe(outcome)
    })

    it.each<[string, unknown]>([
      ['a status without headers', { status: 500 }],
      ['headers that are a plain object', { status: 500, headers: {} }],
      ['a status below 100', { status: 99, headers: new Headers() }],
      ['a status above 599', { status: 600, headers: new Headers() }],
      ['a status in a string', { status: '500', headers: new Headers() }],
      ['a broken status', { status: 500.5, headers: new Headers() }],
      ['nothing', null],
    ])('is not seen in %s', async (_, result) => {
      const { provider } = await withProvider(open)
      await provider.execute(() => result)
      expect(await outcomeOf(provider)).toBe('healthy')
    })

    it('is a real one of fetch', async () => {
      const { provider } = await withProvider(open)
      await provider.execute(() => new Response('busy', { status: 503 }))
      expect(await outcomeOf(provider)).toBe('unhealthy')
    })

    it('keeps what its status says when it was slow, unless it was well', async () => {
      const { provider, spend } = await withProvider(open, { ...QUICK, slowMs: 10 })
      await provider.execute(async () => (await spend(15), response(404)))
      expect(await outcomeOf(provider)).toBe('client_error')
    })
  })

  describe('the pause after a 429', () => {
    const SENT = 'Wed, 21 Oct 2015 07:28:00 GMT'
    it.each<[string, Record<string, string>, number]>([
      ['as many seconds as it says', { 'Retry-After': '7' }, 7_000],
      ['seconds with blanks around', { 'Retry-After': ' 7 ' }, 7_000],
      [
        'to the date it says, by its own date',
        { 'Retry-After': 'Wed, 21 Oct 2015 07:28:30 GMT', Date: SENT },
        30_000,
      ],
      ['a second when it says nothing', {}, 1_000],
      ['a second when it says nonsense', { 'Retry-After': 'soon' }, 1_000],
      ['a day at most', { 'Retry-After': '999999999' }, 86_400_000],
      [
        'a day at most, for a date too',
        { 'Retry-After': 'Wed, 21 Oct 2099 07:28:00 GMT', Date: SENT },
        86_400_000,
      ],
    ])('is %s', async (_, headers, pauseMs) => {
      const { provider } = await withProvider(open)
      await provider.execute(() => response(429, headers))
      expect((await provider.snapshot()).throttledForMs).toBe(pauseMs)
    })

    it('is none when its date has passed', async () => {
      const { provider } = await withProvider(open)
      await provider.execute(() =>
        response(429, { 'Retry-After': SENT, Date: 'Wed, 21 Oct 2015 07:28:01 GMT' }),
      )
      expect(await provider.snapshot()).toMatchObject({ throttledForMs: 0, throttled: false, applied: 1 })
      expect(await provider.shouldAllow()).toBe(true)
    })

    it('is by the clock of this process when the response bears no date', async () => {
      const { provider } = await withProvider(open)
      const until = new Date(Date.now() + 3_600_000).toUTCString()
      await provider.execute(() => response(429, { 'Retry-After': until }))
      const { throttledForMs } = await provider.snapshot()
      expect(throttledForMs).toBeGreaterThan(3_500_000)
      expect(throttledForMs).toBeLessThanOrEqual(3_600_000)
    })
  })

  describe('a thrown error', () => {
    const withFields = (fields: object) => Object.assign(new Error('http'), fields)
    it.each<[string, unknown, string]>([
      ['status 404', withFields({ status: 404 }), 'client_error'],
      ['status 500', withFields({ status: 500 }), 'unhealthy'],
      ['statusCode 422', withFields({ statusCode: 422 }), 'client_error'],
      ['response.status 403', withFields({ response: { status: 403 } }), 'client_error'],
      ['status 429', withFields({ status: 429 }), 'throttled'],
      ['status 200: it threw all the same', withFields({ status: 200 }), 'unhealthy'],
      ['status 999', withFields({ status: 999 }), 'unhealthy'],
      [
        'a status that is a word, and a statusCode',
        withFields({ status: 'error', statusCode: 404 }),
        'client_error',
      ],
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

    it.each<[string, object]>([
      ['its response, by name', { response: { status: 429, headers: { 'retry-after': '3' } } }],
      ['its response, by get', { response: { status: 429, headers: new Headers({ 'Retry-After': '3' }) } }],
      ['its own headers', { status: 429, headers: { 'retry-after': '3' } }],
      ['its own headers, as a number', { statusCode: 429, headers: { 'retry-after': 3 } }],
    ])('with 429 tells the pause in %s', async (_, fields) => {
      const { provider } = await withProvider(open)
      await rejection(provider.execute(() => Promise.reject(withFields(fields))))
      expect((await provider.snapshot()).throttledForMs).toBe(3_000)
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
      ['the name of an error', () => Promise.reject(new RangeError('secret')), 'unhealthy (RangeError)'],
    ])('is told in the reason: %s, and never a message', async (_, fn, seen) => {
      const { provider } = await withProvider(open)
      await provider.execute(fn).catch(() => undefined)
      const { reason } = await provider.snapshot()
      expect(reason).toBe(`1 consecutive failures, last: ${seen}`)
      expect(JSON.stringify(await provider.events())).not.toContain('secret')
    })

    it('is told of a timeout, and by hand', async () => {
      const { provider, ...ground } = await withProvider(open)
      const call = provider.execute(() => new Promise(() => undefined), { timeoutMs: 5 })
      await rejection(pastLimit(ground, 5, call))
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
      const ground = await open({ logger: book.logger })
      const provider = await ground.busbar.provider('openai', settings, { classify })
      return { ...ground, ...book, provider }
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
      expect(errors[0]?.[2]).toContain('ignored, throttled')
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
      const { provider, ...ground } = await classified(classify)
      const forever = () => new Promise<never>(() => undefined)
      await rejection(pastLimit(ground, 5, provider.execute(forever, { timeoutMs: 5 })))
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
