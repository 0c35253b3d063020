import { connect as openSocket, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createHandler } from '../../src/http/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet, OPERATOR, raw, StreamClient } from '../harness/http-fleet.js'
import { Leaks } from '../harness/leaks.js'

const TRIP = '/api/providers/openai/trip'
const REASON = JSON.stringify({ reason: 'x' })
const JSON_TYPE = { 'content-type': 'application/json' }

interface Attack {
  readonly what: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly status: number
  readonly code?: string
}

const post = (
  what: string,
  headers: Record<string, string>,
  status: number,
  code: string,
  body = REASON,
): Attack => ({
  ...{ what, method: 'POST', path: TRIP, headers: { ...JSON_TYPE, ...headers }, body, status, code },
})

/** What somebody may try, and what each gets. Nothing of it changes the provider. */
const ATTACKS: readonly Attack[] = [
  { what: 'no name', path: '/api/providers', headers: { 'x-as': '' }, status: 401, code: 'unauthorized' },
  {
    what: 'a wrong name',
    path: '/api/providers',
    headers: { 'x-as': 'eve' },
    status: 401,
    code: 'unauthorized',
  },
  { what: 'the page without a name', path: '/', headers: { 'x-as': '' }, status: 401, code: 'unauthorized' },
  {
    what: 'the stream without a name',
    path: '/api/stream',
    headers: { 'x-as': '' },
    status: 401,
    code: 'unauthorized',
  },
  post('a write by a reader', { 'x-as': 'reader' }, 403, 'forbidden'),
  post('a write by one who may do others', { 'x-as': 'marker' }, 403, 'forbidden'),
  post('a write from another site', { origin: 'https://evil.example' }, 403, 'cross_site'),
  post('a write from a sandbox', { origin: 'null' }, 403, 'cross_site'),
  post('a write from another port', { origin: 'http://127.0.0.1:1' }, 403, 'cross_site'),
  post('a write across sites', { 'sec-fetch-site': 'cross-site' }, 403, 'cross_site'),
  post('a write from a sibling site', { 'sec-fetch-site': 'same-site' }, 403, 'cross_site'),
  post('a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'body_not_json'),
  post('text that is JSON', { 'content-type': 'text/plain' }, 415, 'body_not_json'),
  post('no JSON', {}, 415, 'body_not_json', '{'),
  post('a body of 65 537 bytes', {}, 413, 'body_too_large', ' '.repeat(65_537)),
  post(
    'a body in chunks that is too long',
    { 'transfer-encoding': 'chunked' },
    413,
    'body_too_large',
    ' '.repeat(200_000),
  ),
  post('a name of the journal in the body', {}, 400, 'argument_invalid', '{"reason":"x","actor":"alice"}'),
  post('a prototype in the body', {}, 400, 'argument_invalid', '{"__proto__":{"reason":"x"}}'),
  {
    what: 'the metrics without a name',
    path: '/metrics',
    headers: { 'x-as': '' },
    status: 401,
    code: 'unauthorized',
  },
  ...['/x/../metrics', '//metrics', '/livez/../metrics', '/page.css/../metrics#', '/metrics?path=/livez'].map(
    (path) => ({
      ...{ what: `the metrics by ${path}`, path, headers: { 'x-as': '' }, status: 401, code: 'unauthorized' },
    }),
  ),
  ...['/api/metrics', '/metrics.', '/api%2f..%2fmetrics.'].map((path) => ({
    ...{ what: `the metrics by ${path}`, path, headers: { 'x-as': '' }, status: 404, code: 'not_found' },
  })),
  {
    ...{ what: 'a write to the metrics', method: 'POST', path: '/metrics', headers: JSON_TYPE, body: REASON },
    ...{ status: 405, code: 'method_not_allowed' },
  },
  {
    what: 'another method',
    method: 'DELETE',
    path: '/api/providers/openai',
    status: 405,
    code: 'method_not_allowed',
  },
  { what: 'a write by GET', path: TRIP, status: 405, code: 'method_not_allowed' },
  { what: 'a preflight', method: 'OPTIONS', path: TRIP, status: 405, code: 'method_not_allowed' },
  { what: 'a path that climbs', path: '/api/../../etc/passwd.txt', status: 404, code: 'not_found' },
  {
    what: 'a path that climbs, encoded',
    path: '/%2e%2e/%2e%2e/dashboard.css/../openapi.js',
    status: 404,
    code: 'not_found',
  },
  { what: 'an id that climbs', path: '/api/providers/..%2F..%2Fmeta', status: 404, code: 'provider_unknown' },
  { what: 'an id with NUL', path: '/api/providers/a%00b', status: 400, code: 'argument_invalid' },
  { what: 'an id of half an escape', path: '/api/providers/%E0%A4', status: 404, code: 'not_found' },
  { what: 'an id of a prototype', path: '/api/providers/__proto__', status: 404, code: 'provider_unknown' },
  { what: 'a Host with a path', path: '/api/config', headers: { host: 'evil/@x' }, status: 400 },
]

const asked = (request: Request) => {
  switch (request.headers.get('x-as') ?? 'alice') {
    case 'alice':
      return OPERATOR
    case 'reader':
      return { actor: 'reader', can: 'read' as const }
    case 'marker':
      return { actor: 'marker', can: ['mark', 'resume'] as const }
    default:
      return null
  }
}

describe('attacks on a handler', () => {
  it('get what the table says, and change nothing', async () => {
    const { port, openai } = await httpFleet({ authorize: asked })
    const before = await openai.events()
    const got: Attack[] = []
    for (const attack of ATTACKS) {
      const answer = await raw(port, attack)
      const problem = answer.headers['content-type'] === 'application/problem+json'
      const { code } = problem ? (JSON.parse(answer.text) as { code: string }) : { code: undefined }
      got.push({ ...attack, status: answer.status, ...(code === undefined ? {} : { code }) })
    }
    expect(got).toEqual(ATTACKS)
    expect(await openai.events()).toEqual(before)
  })

  it('get no permission to frame, to sniff or to read across origins', async () => {
    const { port } = await httpFleet()
    for (const path of [
      '/',
      '/api/providers',
      '/dashboard.js',
      '/dashboard.css',
      '/livez',
      '/metrics',
      '/api/nothing',
      '/api/stream/',
    ]) {
      const { headers } = await raw(port, { path, headers: { origin: 'https://evil.example' } })
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'self';.*frame-ancestors 'none'$/,
        ) as string,
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    const framed = await httpFleet({ frameAncestors: ['https://portal.example'] })
    const { headers } = await raw(framed.port, {})
    expect(headers['content-security-policy']).toContain('frame-ancestors https://portal.example')
    expect(headers['x-frame-options']).toBeUndefined()
  })

  it('by another Host in the request line do not change the own Host', async () => {
    const { port } = await httpFleet()
    const headers = { host: `127.0.0.1:${port}`, ...JSON_TYPE, origin: 'http://evil.example' }
    for (const path of [
      '//evil.example/api/providers/openai/reset',
      'http://evil.example/api/providers/openai/reset',
    ]) {
      const answer = await raw(port, { method: 'POST', path, headers, body: REASON })
      expect([path, answer.status]).toEqual([path, 403])
    }
  })

  it('that smuggle a header or a second request get 400, or are one request', async () => {
    const { port } = await httpFleet()
    const first = async (lines: readonly string[]) => {
      const text = await exchange(port, [
        'POST /api/providers HTTP/1.1',
        'Host: x',
        'Connection: close',
        ...lines,
      ])
      return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
    }
    const refused = [
      ['Content-Length: 4', 'Content-Length: 5'],
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      ['Content-Length: +4'],
      ['Content-Length: 4, 4'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding : chunked'],
      ['X-A: a\rb: c'],
      ['X-A: a', ' folded: b'],
      ['X-A: a\0b'],
      // The client of a proxy that looks at the last of them would be another one here.
      ['Host: evil.example'],
    ]
    for (const lines of refused) expect([lines, await first([...lines, '', ''])]).toEqual([lines, '400'])
    expect(await first([`X-A: ${'a'.repeat(100_000)}`, '', ''])).toBe('431')
    // A body of GET is no second request.
    const body = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'
    const live = ['GET /livez HTTP/1.1', 'Host: x']
    const lines = [...live, `Content-Length: ${body.length}`, '', `${body}${live[0] ?? ''}`, 'Host: x']
    const answers = await exchange(port, [...lines, 'Connection: close', '', ''])
    expect(answers.match(/^(?:alive|ready)$/gm)).toEqual(['alive', 'alive'])
  })

  it('on a read-only handler get 405 for every write', async () => {
    const { post: send, openai, get } = await httpFleet({ readOnly: true })
    for (const action of ['trip', 'reset', 'mark', 'resume', 'probe']) {
      expect(await send(`/api/providers/openai/${action}`, { reason: 'x' })).toMatchObject({
        status: 405,
        body: { code: 'read_only' },
      })
    }
    expect(await openai.state()).toBe('closed')
    expect(await get('/api/config')).toMatchObject({ body: { readOnly: true, actions: [] } })
  })

  it('on a hidden provider get what an unknown one gets, and it is in no list, count or stream', async () => {
    const {
      get,
      post: send,
      url,
      openai,
    } = await httpFleet({
      authorize: asked,
      visible: (id, who) => id !== 'openai' || who.actor === 'alice',
    })
    const as = { 'x-as': 'reader' }
    const hidden = await get('/api/providers/openai', as)
    const unknown = await get('/api/providers/nobody', as)
    expect(JSON.stringify(hidden).replaceAll('openai', 'nobody')).toBe(JSON.stringify(unknown))
    expect(hidden.status).toBe(404)
    expect(await get('/api/providers/openai/events', as)).toMatchObject({ status: 404 })
    expect(await get('/api/providers', as)).toMatchObject({
      body: { counts: { total: 1 }, providers: [{ id: 'mistral' }] },
    })
    for (const path of [
      'api/providers',
      'api/config',
      'api/schedules',
      'api/groups',
      'api/workers',
      'metrics',
    ]) {
      expect(JSON.stringify(await get(`/${path}`, as))).not.toContain('openai')
    }
    expect(await send('/api/providers/openai/trip', { reason: 'x' }, { 'x-as': 'marker' })).toMatchObject({
      status: 403,
    })
    expect(
      await send('/api/providers/openai/mark', { mark: 'degraded', reason: 'x' }, { 'x-as': 'marker' }),
    ).toMatchObject({ status: 404 })
    const client = await StreamClient.open(`${url}/api/stream`, as)
    await eventually(() => client.of('synced').length === 1, 'the state')
    await openai.trip({ reason: 'hidden' })
    await (await get('/api/providers', as), openai.reset())
    const all = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => all.of('synced').length === 1, 'the state for one who may see it')
    expect(all.of('snapshot')).toHaveLength(2)
    expect(JSON.stringify(client.messages)).not.toContain('openai')
    client.close()
    all.close()
  })

  it('find no secret of a probe in any answer', async () => {
    const { get, join, url } = await httpFleet()
    const other = await join({ workerId: 'worker-2' })
    const secrets = ['SECRET-header', 'SECRET-body', 'SECRET-query', 'SECRET-user']
    const http = await other.provider('http', {
      probe: {
        ...{
          kind: 'http',
          url: 'http://127.0.0.1:1/?api_key=SECRET-query',
          method: 'POST',
          body: '{"k":"SECRET-body"}',
        },
        ...{
          headers: { authorization: 'Bearer SECRET-header' },
          proxy: 'http://u:SECRET-user@127.0.0.1:1',
          intervalMs: 60_000,
        },
      },
    })
    const client = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => client.of('synced').length === 1, 'the state')
    await other.apply('http', { ...http.settings, slowMs: 5 })
    await eventually(
      () => client.of('event').some(({ data }) => data['kind'] === 'settings_changed'),
      'the change',
    )
    const leaks = new Leaks()
    for (const path of ['providers', 'providers/http', 'providers/http/events', 'config', 'schedules']) {
      leaks.add(path, await get(`/api/${path}`))
    }
    leaks.add('page', await (await fetch(url)).text())
    leaks.add('metrics', await (await fetch(`${url}/metrics`)).text())
    leaks.add('stream', client.messages)
    expect(leaks.of(secrets)).toEqual([])
    expect(leaks.says('authorization')).toBe(true) // the settings are there
    client.close()
  })
})

describe('what the program itself gets wrong', () => {
  it('is 500 without its words, and a line in the log', async () => {
    const leaks = new Leaks()
    const busbar = createTestBusbar({ logger: leaks.logger })
    await busbar.provider('openai')
    const wrong = [
      () => {
        throw new Error('SECRET of the program')
      },
      () => ({ actor: '', can: 'read' }),
      () => ({ actor: 'a', can: 'everything' }),
      () => undefined,
    ]
    for (const authorize of wrong) {
      const handler = createHandler(busbar, { authorize: authorize as never })
      const answer = await handler(new Request('http://localhost/api/providers'))
      expect(answer.status).toBe(500)
      expect(await answer.text()).not.toContain('SECRET')
    }
    expect(leaks.lines('a request over HTTP failed')).toBe(wrong.length)
    await busbar.close()
  })

  it('at createHandler is an error that names the option', async () => {
    const busbar = createTestBusbar()
    const make = (options: unknown) => () => createHandler(busbar, options as never)
    expect(make(undefined)).toThrow(/createHandler/)
    expect(make({})).toThrow(/authorize.*"anyone" on purpose/)
    expect(make({ authorize: 'everyone' })).toThrow(/authorize/)
    expect(make({ authorize: 'anyone', basePath: '/x' })).toThrow(/basePath/)
    expect(make({ authorize: 'anyone', frameAncestors: ["x; script-src 'unsafe-inline'"] })).toThrow(
      /frameAncestors/,
    )
    await busbar.close()
  })
})

describe('streams', () => {
  it('are 200 at most; the others get 503, and all of it is given back', async () => {
    const busbar = createTestBusbar()
    await busbar.provider('openai')
    const { url, handler } = await httpFleet.over(busbar, { authorize: 'anyone' })
    const opened = await Promise.allSettled(
      Array.from({ length: 300 }, () => StreamClient.open(`${url}/api/stream`)),
    )
    const clients = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const refused = opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    expect(clients).toHaveLength(200)
    expect(new Set(refused.map((text) => /HTTP 503.*too_many_streams/.test(text)))).toEqual(new Set([true]))
    await eventually(() => clients.every((client) => client.of('synced').length === 1), 'all have the state')
    for (const client of clients) client.close()
    await eventually(async () => {
      const again = await StreamClient.open(`${url}/api/stream`).catch(() => undefined)
      again?.close()
      return again !== undefined
    }, 'a place is free again')
    handler.close()
    await busbar.close()
  })
})

/** Sends lines and answers all that comes back until the server closes the connection. */
function exchange(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = openSocket(port, '127.0.0.1', () => socket.write(lines.join('\r\n')))
    let text = ''
    socket.on('data', (data) => (text += data.toString('latin1')))
    socket.once('close', () => resolve(text))
    socket.once('error', reject)
  })
}
