import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBusbar } from '../../src/testing.js'
import type { Judgement } from '../../src/client/call/classify.js'
import { classifyError, classifyResult } from '../../src/client/call/classify.js'
import { awsError, CLIENTS, startGrpc, startServer, type Call, type Client } from './calls.mjs'

/** How real packages are judged; the same table for each of them. */
let server: Awaited<ReturnType<typeof startServer>>
let grpc: Awaited<ReturnType<typeof startGrpc>>
beforeAll(async () => {
  server = await startServer()
  grpc = await startGrpc()
})
afterAll(() => {
  grpc.close()
  server.close()
})

async function judged(run: (judge: <X>(answer: X) => X) => Promise<unknown>): Promise<Judgement> {
  let answer: { readonly value: unknown } | undefined
  const judge = <X>(value: X): X => {
    answer = { value }
    return value
  }
  try {
    const result = await run(judge)
    return classifyResult(answer === undefined ? result : (answer as { value: unknown }).value)
  } catch (error) {
    return classifyError(error)
  }
}

const STATUSES: [string, Partial<Judgement>][] = [
  ['/200', { outcome: 'healthy' }],
  ['/400', { outcome: 'client_error', detail: 'HTTP 400' }],
  ['/401', { outcome: 'client_error', detail: 'HTTP 401' }],
  ['/404', { outcome: 'client_error', detail: 'HTTP 404' }],
  ['/408', { outcome: 'timeout', detail: 'HTTP 408' }],
  ['/425', { outcome: 'throttled', retryAfterMs: 1_000 }],
  ['/429', { outcome: 'throttled', retryAfterMs: 1_000 }],
  ['/429/later', { outcome: 'throttled', retryAfterMs: 7_000, detail: 'HTTP 429' }],
  ['/500', { outcome: 'unhealthy', detail: 'HTTP 500' }],
  ['/503', { outcome: 'unhealthy', detail: 'HTTP 503' }],
  ['/503/later', { outcome: 'throttled', retryAfterMs: 7_000 }],
]

/** fetch, and what is built upon it, fails at a 407 and does not say so. */
const FETCHING = ['fetch', 'undici.fetch', 'OpenAI', 'Anthropic']
/** Their abort errors do not say for what reason the signal was aborted. */
const KEEP_NO_REASON = ['OpenAI', 'Anthropic']

describe.each(Object.entries(CLIENTS))('%s', (name, client: Client) => {
  const ways: [string, Call | undefined][] = [
    ['called', client.call],
    ['giving the response back', client.returned],
  ]
  for (const [way, call] of ways) {
    if (call === undefined) continue
    it.each(STATUSES)(`${way}: %s`, async (path, expected) => {
      expect(await judged((judge) => call(server.url + path, judge))).toMatchObject(expected)
    })
  }

  it('a 407 of a proxy', async () => {
    const judgement = await judged((judge) => client.call(`${server.url}/407`, judge))
    expect(judgement.outcome).toBe(FETCHING.includes(name) ? 'unhealthy' : 'ignored')
  })

  it('where nobody listens, or the connection breaks off', async () => {
    for (const url of [server.closedUrl, `${server.url}/reset`, 'http://no-such-host.invalid']) {
      expect(await judged((judge) => client.call(url, judge)), url).toMatchObject({ outcome: 'unhealthy' })
    }
  })

  const limits = { limit: client.limit, deadline: client.deadline }
  for (const [kind, call] of Object.entries(limits)) {
    if (call === undefined) continue
    it(`its own time limit: ${kind}`, async () => {
      const judgement = await judged((judge) => call(`${server.url}/hang`, judge))
      expect(judgement).toMatchObject({ outcome: 'timeout' })
    })
  }

  const { signal, abort, unsendable } = client
  if (signal !== undefined) {
    it('an abort', async () => {
      const caller = new AbortController()
      setTimeout(() => caller.abort(), 50)
      const judgement = await judged(() => signal(`${server.url}/hang`, caller.signal))
      expect(judgement).toMatchObject({ outcome: 'ignored', because: 'aborted' })
    })

    it('AbortSignal.timeout() as the signal', async () => {
      const judgement = await judged(() => signal(`${server.url}/hang`, AbortSignal.timeout(50)))
      expect(judgement).toMatchObject({ outcome: KEEP_NO_REASON.includes(name) ? 'ignored' : 'timeout' })
    })

    it("execute, ended by its caller's time limit", async () => {
      const busbar = createTestBusbar()
      const provider = await busbar.provider('upstream', { breaker: { failureThreshold: 100 } })
      const late = provider.execute((context) => signal(`${server.url}/hang`, context.signal), {
        signal: AbortSignal.timeout(50),
      })
      await expect(late).rejects.toThrow()
      // A time limit that passed while this process stood still says nothing of the server.
      const status = busbar.counters.callsStalled > 0 ? 'ignored' : 'timeout'
      expect((await provider.history()).map((found) => found.status)).toEqual([status])
      await busbar.close()
    })
  }

  if (abort !== undefined) {
    it('an abort of its own', async () => {
      const judgement = await judged((judge) => abort(`${server.url}/hang`, judge))
      expect(judgement).toMatchObject({ outcome: 'ignored', because: 'aborted' })
    })
  }

  if (unsendable !== undefined) {
    it('a header that cannot be sent', async () => {
      const judgement = await judged((judge) => unsendable(`${server.url}/200`, judge))
      expect(judgement).toMatchObject({ outcome: 'ignored' })
    })
  }
})

describe('AWS SDK v3, by name', () => {
  it.each([
    ['ThrottlingException', 'throttled'],
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['RequestLimitExceeded', 'throttled'],
    ['ResourceNotFoundException', 'client_error'],
    ['ValidationException', 'client_error'],
  ])('%s', async (type, outcome) => {
    expect(await judged(() => awsError(server.url, type))).toMatchObject({ outcome })
  })
})

describe('gRPC', () => {
  it.each([
    [1, 'ignored'],
    [2, 'unhealthy'],
    [3, 'client_error'],
    [4, 'timeout'],
    [5, 'client_error'],
    [6, 'client_error'],
    [7, 'client_error'],
    [8, 'throttled'],
    [9, 'client_error'],
    [10, 'client_error'],
    [11, 'client_error'],
    [12, 'unhealthy'],
    [13, 'unhealthy'],
    [14, 'unhealthy'],
    [15, 'unhealthy'],
    [16, 'client_error'],
  ])('code %i', async (code, outcome) => {
    expect(await judged(() => grpc.code(code))).toMatchObject({ outcome, detail: `gRPC ${code}` })
  })

  it('its deadline, and a call that was cancelled', async () => {
    expect(await judged(() => grpc.deadline())).toMatchObject({ outcome: 'timeout', detail: 'gRPC 4' })
    expect(await judged(() => grpc.cancel())).toMatchObject({ outcome: 'ignored', because: 'aborted' })
  })
})
