import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { guardFetch } from '../../src/adapters/fetch.js'
import { guardInterceptor } from '../../src/adapters/undici.js'
import type { Busbar, OutcomeObservation } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { BODY, digest, startAnswerServer, type AnswerServer } from '../harness/answer-server.js'
import { eventually } from '../harness/eventually.mjs'
import { guardsOf, openaiWith, type Guarded } from './guards.mjs'

/** Guards around real clients, against real servers. */
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

/** The recipes as docs/clients.md has them, each a module beside the packages that it imports. */
const docs = readFileSync('docs/clients.md', 'utf8')
const files: string[] = []
async function recipe(name: string): Promise<(busbar: Busbar) => unknown> {
  const [, sample = ''] = new RegExp(`<!-- sample ${name} -->\n\`\`\`js\n([^]*?)\`\`\``).exec(docs) ?? []
  const file = join(import.meta.dirname, `recipe-${name}-${process.pid}.mjs`)
  files.push(file)
  writeFileSync(file, sample)
  const [made] = Object.values((await import(file)) as Record<string, (busbar: Busbar) => unknown>)
  if (made === undefined) throw new Error(`docs/clients.md has no sample ${name}`)
  return made
}
afterAll(() => files.forEach((file) => rmSync(file, { force: true })))

const makers = {
  fetch: (busbar: Busbar) => guardsOf.fetch(guardFetch(fetch, { busbar })),
  'undici.fetch': (busbar: Busbar) => guardsOf.undiciFetch(guardFetch, { busbar }),
  'undici.request': (busbar: Busbar) => guardsOf.undiciRequest(guardInterceptor({ busbar })),
  'undici.fetch, dispatcher': (busbar: Busbar) => guardsOf.undiciFetchOver(guardInterceptor({ busbar })),
  "Node's fetch, dispatcher": (busbar: Busbar) => guardsOf.nodeFetchOver(guardInterceptor({ busbar })),
  'undici 6, request': (busbar: Busbar) => guardsOf.undici6Request(guardInterceptor({ busbar })),
  'undici 6, fetch': (busbar: Busbar) => guardsOf.undici6FetchOver(guardInterceptor({ busbar })),
  axios: async (busbar: Busbar) => guardsOf.axios((await recipe('axios'))(busbar)),
  got: async (busbar: Busbar) => guardsOf.got((await recipe('got'))(busbar)),
}
/** Each hop of a redirect is a call of its own, at its own origin. */
const HOP_BY_HOP = ['undici.fetch, dispatcher', "Node's fetch, dispatcher", 'undici 6, fetch', 'got']

describe.each(Object.entries(makers))('%s, guarded', (name, make) => {
  async function guarded() {
    const outcomes: OutcomeObservation[] = []
    const busbar = createTestBusbar({
      onOutcome: (outcome) => outcomes.push(outcome),
      defaults: { breaker: { failureThreshold: 3, cooldownMs: 60_000 } },
    })
    onTestFinished(() => busbar.close())
    const client: Guarded = await make(busbar)
    // A time limit that passed while this process stood still says nothing of the server.
    const timeout = () => (busbar.counters.callsStalled > 0 ? 'ignored' : 'timeout')
    return {
      busbar,
      client,
      timeout,
      seen: () => outcomes.map(({ provider, outcome }) => [provider, outcome]),
    }
  }

  it('gives the body whole, also one that comes slowly', async () => {
    const { client, seen } = await guarded()
    for (const path of ['/200', '/slow']) {
      const { status, body } = await client.get(server.url + path)
      expect([status, digest(body)]).toEqual([200, digest(BODY)])
    }
    expect(seen()).toEqual([
      [server.url, 'healthy'],
      [server.url, 'healthy'],
    ])
  })

  it.each([
    ['/404', 'client_error'],
    ['/503', 'unhealthy'],
    ['/429/later', 'throttled'],
  ])('judges %s as %s', async (path, outcome) => {
    const { client, seen, busbar } = await guarded()
    expect((await client.get(server.url + path)).status).toBe(Number(path.split('/')[1]))
    expect(seen()).toEqual([[server.url, outcome]])
    const throttled = busbar.get(server.url)?.peek()?.throttledForMs
    expect(throttled).toBe(outcome === 'throttled' ? 7_000 : 0)
  })

  it('judges a connection that breaks off, and refuses without a request once the circuit is open', async () => {
    const { client, seen, busbar } = await guarded()
    for (let i = 0; i < 3; i += 1) await expect(client.get(`${server.url}/reset`)).rejects.toThrow()
    expect(seen()).toEqual(Array.from({ length: 3 }, () => [server.url, 'unhealthy']))
    const { requests } = server
    const refused: unknown = await client.get(`${server.url}/200`).catch((error: unknown) => error)
    expect(codesOf(refused)).toContain('circuit_open')
    expect(server.requests).toBe(requests)
    expect((await client.get(`${other.url}/200`)).status).toBe(200)
    await busbar.clock.advanceAsync(60_001)
    expect((await client.get(`${server.url}/200`)).status).toBe(200)
  })

  it('judges a hang by the limit of its client, or of its caller, and an abort as nothing', async () => {
    const { client, seen, timeout } = await guarded()
    await expect(client.get(`${server.url}/hang`, AbortSignal.timeout(40))).rejects.toThrow()
    const caller = new AbortController()
    setTimeout(() => caller.abort(), 40)
    await expect(client.get(`${server.url}/hang`, caller.signal)).rejects.toThrow()
    expect(seen()).toEqual([
      [server.url, timeout()],
      [server.url, 'ignored'],
    ])
  })

  it('has no call under way once its request is over, however that ended', async () => {
    const { client, busbar } = await guarded()
    await client.get(`${server.url}/200`)
    await client.get(`${server.url}/reset`).catch(() => undefined)
    await client.get(`${server.url}/hang`, AbortSignal.timeout(40)).catch(() => undefined)
    await busbar.close({ timeoutMs: 60_000 })
  })

  it('has its call judged by the head when its caller aborts in mid-stream', async () => {
    const { client, seen } = await guarded()
    if (client.endless === undefined) return // it reads a body to its end before it answers
    const caller = new AbortController()
    const reading = client.endless(`${server.url}/endless`, caller.signal, () => caller.abort())
    await expect(reading).rejects.toThrow()
    expect(seen()).toEqual([[server.url, 'healthy']])
  })

  it('follows a redirect', async () => {
    const { client, seen } = await guarded()
    if (client.redirects === false) return
    const to = encodeURIComponent(`${other.url}/404`)
    expect((await client.get(`${server.url}/redirect?to=${to}`)).status).toBe(404)
    const hops = [
      [server.url, 'healthy'],
      [other.url, 'client_error'],
    ]
    expect(seen()).toEqual(HOP_BY_HOP.includes(name) ? hops : [[server.url, 'client_error']])
  })
})

/** Their dispatcher has one connection. */
const ONE_CONNECTION = [
  'undici.request',
  'undici.fetch, dispatcher',
  "Node's fetch, dispatcher",
  'undici 6, request',
  'undici 6, fetch',
] as const

describe.each(['axios', 'got', 'fetch'] as const)('%s', (name) => {
  it('ends a request at the time limit of its handle', async () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    const client: Guarded = await makers[name](busbar)
    await busbar.provider(server.url, {}, { timeoutMs: 1_000 })
    expect((await client.get(`${server.url}/200`)).status).toBe(200)
    const before = server.requests
    const answer = client.get(`${server.url}/hang`).then(
      () => 'answered',
      () => 'ended',
    )
    await eventually(() => server.requests > before, 'the request is there')
    await busbar.clock.advanceAsync(1_100)
    expect(await answer).toBe('ended')
    await eventually(() => server.open === 0, 'the request was given up')
    await busbar.close({ timeoutMs: 60_000 })
  })
})

describe.each(ONE_CONNECTION)('%s', (name) => {
  it('ends a request at the time limit of its handle, and fails one that waits for a connection', async () => {
    const busbar = createTestBusbar()
    onTestFinished(() => busbar.close())
    const client: Guarded = makers[name](busbar)
    await busbar.provider(server.url, {}, { timeoutMs: 1_000 })
    const before = server.requests
    // Its dispatcher has one connection.
    const answers = [0, 1].map(() => client.get(`${server.url}/hang`).catch(codesOf))
    await eventually(() => server.requests > before, 'a request is there')
    const ended = Promise.all(answers)
    let codes: unknown[] | undefined
    void ended.then((all) => (codes = all))
    await eventually(async () => {
      await busbar.clock.advanceAsync(1_100)
      expect(codes?.length).toBe(2)
    })
    for (const each of await ended) expect(each).toContain('call_timeout')
    await eventually(() => server.open === 0, 'the request was given up')
    expect((await client.get(`${server.url}/200`)).status).toBe(200)
  })
})

it('the OpenAI SDK takes a guarded fetch', async () => {
  const outcomes: unknown[] = []
  const busbar = createTestBusbar({ onOutcome: ({ outcome }) => outcomes.push(outcome) })
  const client = openaiWith(guardFetch(fetch, { busbar, providerOf: () => 'openai' }), `${server.url}/503`)
  await expect(client()).rejects.toThrow()
  expect([outcomes, await busbar.providers()]).toEqual([['unhealthy'], ['openai']])
  await busbar.close()
})

/** The codes of an error and of its causes. */
function codesOf(error: unknown): unknown[] {
  const codes: unknown[] = []
  for (let link = error, depth = 0; typeof link === 'object' && link !== null && depth < 5; depth += 1) {
    codes.push(Reflect.get(link, 'code'))
    link = Reflect.get(link, 'cause')
  }
  return codes
}
