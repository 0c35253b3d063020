import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { guardFetch, type GuardFetchOptions } from '../../src/adapters/fetch.js'
import type { OutcomeObservation } from '../../src/index.js'
import { createTestBusbar, type TestBusbarOptions } from '../../src/testing.js'
import { BODY, digest, startAnswerServer, type AnswerServer } from '../harness/answer-server.js'
import { eventually } from '../harness/eventually.mjs'

/** Node's own `fetch`, guarded, against real servers. */
let server: AnswerServer
let other: AnswerServer
beforeAll(async () => {
  server = await startAnswerServer()
  other = await startAnswerServer()
})
afterAll(async () => {
  await server.stop()
  await other.stop()
})

const SETTINGS = { breaker: { failureThreshold: 3, cooldownMs: 60_000 } }

function guarded(options: Omit<GuardFetchOptions, 'busbar'> = {}, busbarOptions: TestBusbarOptions = {}) {
  const outcomes: OutcomeObservation[] = []
  const onOutcome = (outcome: OutcomeObservation) => outcomes.push(outcome)
  const busbar = createTestBusbar({ onOutcome, ...busbarOptions })
  onTestFinished(() => busbar.close())
  const seen = () => outcomes.map(({ outcome }) => outcome)
  // A time limit that passed while this process stood still says nothing of the server.
  const timeouts = () =>
    outcomes.filter(({ outcome }) => outcome === 'timeout').length + busbar.counters.callsStalled
  return {
    busbar,
    outcomes,
    seen,
    timeouts,
    guard: guardFetch(fetch, { busbar, settings: SETTINGS, ...options }),
  }
}

describe('guardFetch', () => {
  it('hands the response through untouched, its body whole', async () => {
    const { guard, seen } = guarded()
    const response = await guard(`${server.url}/200`)
    expect(response).toBeInstanceOf(Response)
    expect(response.bodyUsed).toBe(false)
    expect(digest(new Uint8Array(await response.arrayBuffer()))).toBe(digest(BODY))
    expect(seen()).toEqual(['healthy'])
  })

  it.each([
    ['/404', 'client_error'],
    ['/400', 'client_error'],
    ['/500', 'unhealthy'],
    ['/503', 'unhealthy'],
    ['/429/later', 'throttled'],
    ['/503/later', 'throttled'],
  ])('judges %s as %s and gives it back', async (path, outcome) => {
    const { guard, seen } = guarded()
    const response = await guard(server.url + path)
    expect(response.status).toBe(Number(path.split('/')[1]))
    expect(await response.json()).toEqual({ status: response.status })
    expect(seen()).toEqual([outcome])
  })

  it('keeps the fleet away for as long as a 429 says', async () => {
    const { guard, busbar } = guarded()
    await guard(`${server.url}/429/later`)
    await expect(guard(`${server.url}/200`)).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 7_000 })
    await busbar.clock.advanceAsync(7_001)
    expect((await guard(`${server.url}/200`)).status).toBe(200)
  })

  it('has a provider per origin, and one that is down is refused without a request', async () => {
    const { guard, busbar } = guarded()
    for (let i = 0; i < 3; i += 1) await guard(`${server.url}/503`)
    const before = server.requests
    await expect(guard(`${server.url}/200`)).rejects.toMatchObject({ code: 'circuit_open' })
    expect(server.requests).toBe(before)
    expect((await guard(`${other.url}/200`)).status).toBe(200)
    expect(await busbar.providers()).toEqual([server.url, other.url])
    expect(busbar.get(server.url)?.settings.breaker.failureThreshold).toBe(3)
  })

  it('judges a connection that breaks off, or that nobody takes', async () => {
    const { guard, seen } = guarded()
    const gone = await startAnswerServer()
    await gone.stop()
    await expect(guard(`${server.url}/reset`)).rejects.toThrow('fetch failed')
    await expect(guard(`${gone.url}/200`)).rejects.toThrow('fetch failed')
    expect(seen()).toEqual(['unhealthy', 'unhealthy'])
  })

  it('with a time limit of its own judges a hang as a timeout', async () => {
    const { guard, timeouts, busbar } = guarded({ timeoutMs: 1_000 })
    const before = server.requests
    const called = guard(`${server.url}/hang`)
    const failed = expect(called).rejects.toMatchObject({ code: 'call_timeout' })
    await eventually(() => server.requests > before, 'the request is there')
    await eventually(async () => {
      await busbar.clock.advanceAsync(1_100)
      expect(timeouts()).toBe(1)
    })
    await failed
    await eventually(() => server.open === 0, 'the request was given up')
  })

  it('ends the request at the time limit of the handle', async () => {
    const { guard, timeouts, busbar } = guarded()
    await busbar.provider(server.url, SETTINGS, { timeoutMs: 1_000 })
    const before = server.requests
    const failed = expect(guard(`${server.url}/hang`)).rejects.toMatchObject({ code: 'call_timeout' })
    await eventually(() => server.requests > before, 'the request is there')
    await eventually(async () => {
      await busbar.clock.advanceAsync(1_100)
      expect(timeouts()).toBe(1)
    })
    await failed
    await eventually(() => server.open === 0, 'the request was given up')
  })

  it("judges the caller's own time limit as a timeout, and the caller's abort as nothing", async () => {
    const { guard, seen, timeouts } = guarded()
    await expect(guard(`${server.url}/hang`, { signal: AbortSignal.timeout(30) })).rejects.toThrow(/timeout/)
    const caller = new AbortController()
    setTimeout(() => caller.abort(new Error('the user left')), 30)
    await expect(guard(`${server.url}/hang`, { signal: caller.signal })).rejects.toThrow('the user left')
    const request = new Request(`${server.url}/hang`, { signal: AbortSignal.timeout(30) })
    await expect(guard(request)).rejects.toThrow(/timeout/)
    expect([seen()[1], timeouts()]).toEqual(['ignored', 2])
  })

  it.each([undefined, 60_000])('with timeoutMs %s reads a slow body whole', async (timeoutMs) => {
    const { guard, seen } = guarded({ timeoutMs })
    const response = await guard(`${server.url}/slow`, { signal: new AbortController().signal })
    expect(digest(new Uint8Array(await response.arrayBuffer()))).toBe(digest(BODY))
    expect(seen()).toEqual(['healthy'])
  })

  it.each([undefined, 60_000])('with timeoutMs %s takes all that fetch takes', async (timeoutMs) => {
    const { guard, busbar } = guarded({ timeoutMs })
    const url = new URL(`${server.url}/200`)
    const request = new Request(url, { method: 'HEAD' })
    // The second time its server is known.
    for (let turn = 0; turn < 2; turn += 1) {
      for (const response of [await guard(url), await guard(url.href, undefined)])
        expect(digest(new Uint8Array(await response.arrayBuffer()))).toBe(digest(BODY))
      // What a Request is, stands on its prototype.
      for (const response of [await guard(request), await guard(url, request)])
        expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 0])
      expect(await (await guard('data:text/plain,x')).text()).toBe('x')
      await expect(guard('ftp://a.example/')).rejects.toThrow('fetch failed')
      await expect(guard('/relative')).rejects.toThrow(/parse URL/)
      // Wrong on purpose.
      const wrong = { signal: 5 } as unknown as RequestInit // wrong on purpose
      await expect(guard(url.href, wrong)).rejects.toThrow(/AbortSignal/)
      const throwing = Object.defineProperty({}, 'signal', { get: () => expect.fail('a getter') })
      await expect(guard(url.href, throwing)).rejects.toThrow('a getter')
    }
    expect(await busbar.providers()).toEqual([server.url])
  })

  it.each([undefined, 60_000])("with timeoutMs %s the caller's abort reaches the body", async (timeoutMs) => {
    const { guard, seen } = guarded({ timeoutMs })
    const caller = new AbortController()
    const response = await guard(`${server.url}/endless`, { signal: caller.signal })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    caller.abort()
    await expect(
      (async () => {
        while ((await reader?.read())?.done === false);
      })(),
    ).rejects.toThrow(/abort/)
    expect(seen()).toEqual(['healthy'])
  })

  it('leaves a body that breaks off to its reader', async () => {
    const { guard, seen } = guarded()
    const response = await guard(`${server.url}/cut`)
    await expect(response.text()).rejects.toThrow()
    expect(seen()).toEqual(['healthy'])
  })

  it('follows a redirect to another origin as one call of the first', async () => {
    const { guard, busbar, outcomes } = guarded()
    const response = await guard(`${server.url}/redirect?to=${encodeURIComponent(`${other.url}/503`)}`)
    expect([response.status, response.redirected]).toEqual([503, true])
    expect(outcomes.map(({ provider, outcome }) => [provider, outcome])).toEqual([[server.url, 'unhealthy']])
    expect(await busbar.providers()).toEqual([server.url])
  })

  it('sends what it was given: a Request with a body, a URL, headers', async () => {
    const { guard } = guarded({ timeoutMs: 60_000 })
    const request = new Request(`${server.url}/echo`, { method: 'POST', body: 'hello' })
    expect(await (await guard(request)).text()).toBe('hello')
    const init = { method: 'POST', body: new Blob(['hi']).stream(), duplex: 'half' } as RequestInit
    expect(await (await guard(new URL(`${server.url}/echo`), init)).text()).toBe('hi')
  })

  it('takes the provider that providerOf names, and guards nothing where it names none', async () => {
    const { guard, busbar, outcomes } = guarded({
      providerOf: (url, { method }) =>
        url.pathname === '/200'
          ? `api-${method}`
          : url.pathname === '/404'
            ? busbar.get('api-GET')
            : undefined,
    })
    await Promise.all([guard(`${server.url}/200`), guard(`${server.url}/200`)])
    await guard(`${server.url}/404`)
    await guard(`${server.url}/503`)
    expect(await busbar.providers()).toEqual(['api-GET'])
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['healthy', 'healthy', 'client_error'])
  })

  it('leaves what has no server, and what is no URL, to fetch', async () => {
    const { guard, busbar } = guarded()
    expect(await (await guard('data:,hello')).text()).toBe('hello')
    await expect(guard('no url')).rejects.toThrow(/parse URL/)
    expect(await busbar.providers()).toEqual([])
  })

  it('refuses options that make no sense, by name', () => {
    const busbar = createTestBusbar()
    const wrong = (options: object) => () => guardFetch(fetch, options as GuardFetchOptions)
    expect(wrong({})).toThrow(/busbar: expected what connect\(\) gives/)
    expect(wrong({ busbar, providerOf: 'x' })).toThrow(/providerOf: expected a function/)
    expect(wrong({ busbar, provider: 'x' })).toThrow(/provider: expected one of busbar, providerOf/)
    expect(() => guardFetch(1 as unknown as typeof fetch, { busbar })).toThrow(/fetch: expected a function/)
  })
})
