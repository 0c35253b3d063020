import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { HttpProbeSettings, JsonCondition, ProbeFinding, ProbeResult } from '../../src/model/probe.js'
import { probeHttp } from '../../src/probes/kinds/http.js'
import { BODY_LIMIT } from '../../src/probes/kinds/http-body.js'
import { eventually } from '../harness/eventually.mjs'
import { besideMachine } from '../harness/machine.js'
import { startUpstream } from '../harness/http-upstream.js'
import { pour, rawServer } from '../harness/raw-server.js'

const settings = (url: string, more: Partial<HttpProbeSettings> = {}): HttpProbeSettings => ({
  kind: 'http',
  url,
  method: 'GET',
  headers: {},
  expectStatus: ['2xx'],
  intervalMs: 10_000,
  timeoutMs: 5_000,
  healthyAfter: 1,
  unhealthyAfter: 1,
  ...more,
})

/** It was the provider that was judged, not this process. */
function judged(finding: ProbeFinding): ProbeResult {
  if (!('status' in finding)) throw new Error(finding.reason)
  return finding
}

const probe = async (url: string, more: Partial<HttpProbeSettings> = {}) =>
  judged(await probeHttp(settings(url, more), { workerId: 'worker-1' }))

describe('an HTTP probe', () => {
  it('is healthy when the expected status comes', async () => {
    const upstream = await startUpstream()
    const result = await probe(upstream.url)
    expect(result).toEqual({
      kind: 'judged',
      status: 'healthy',
      detail: 'HTTP 200',
      elapsedMs: expect.any(Number) as number,
    })
    expect(result.elapsedMs).toBeLessThan(5_000)
  })

  it.each([
    [503, ['2xx'], 'unhealthy'],
    [404, ['2xx', '3xx'], 'unhealthy'],
    [204, [204], 'healthy'],
    [200, [204], 'unhealthy'],
    [201, ['201'], 'healthy'],
    [404, [200, '4xx'], 'healthy'],
    [302, ['2xx'], 'unhealthy'],
    [302, ['3xx'], 'healthy'],
  ])('judges HTTP %i where %j is expected: %s', async (status, expectStatus, judged) => {
    const upstream = await startUpstream()
    upstream.behave({ status, headers: status === 302 ? { location: '/elsewhere' } : {} })
    const result = await probe(upstream.url, { expectStatus })
    expect(result).toMatchObject({ status: judged, detail: `HTTP ${status}` })
    expect(upstream.requests, 'no redirect is followed').toHaveLength(1)
  })

  it('is degraded when the answer is slower than degradedMs', async () => {
    const upstream = await startUpstream()
    upstream.behave({ delayMs: 60 })
    const result = await probe(upstream.url, { degradedMs: 20 })
    expect(result.status).toBe('degraded')
    expect(result.detail).toBe(`HTTP 200 after ${result.elapsedMs} ms`)
    expect(await probe(upstream.url, { degradedMs: 4_000 })).toMatchObject({ status: 'healthy' })
  })

  it('is a timeout when no answer comes in time', async () => {
    const upstream = await startUpstream()
    upstream.behave({ delayMs: 5_000 })
    const result = await probe(upstream.url, { timeoutMs: 50 })
    expect(result).toMatchObject({ status: 'timeout', detail: 'no answer within 50 ms' })
    expect(result.elapsedMs).toBeGreaterThanOrEqual(49)
  })

  it('looks for text in the body', async () => {
    const upstream = await startUpstream()
    upstream.behave({ body: '{"state":"grün"}' })
    expect(await probe(upstream.url, { bodyContains: '"grün"' })).toMatchObject({ status: 'healthy' })
    expect(await probe(upstream.url, { bodyContains: 'red' })).toMatchObject({
      status: 'unhealthy',
      detail: 'HTTP 200, but the body lacks "red"',
    })
  })

  it('finds text that arrives in pieces', async () => {
    const upstream = await startUpstream((_request, response) => {
      const pieces = ['xx al', 'l sys', 'tems ', 'go']
      const next = () => {
        const piece = pieces.shift()
        if (piece === undefined) response.end()
        else response.write(piece, () => setImmediate(next))
      }
      next()
    })
    expect(await probe(upstream.url, { bodyContains: 'all systems go' })).toMatchObject({ status: 'healthy' })
  })

  it.each<[unknown, JsonCondition, string]>([
    [{ status: 'up' }, { path: '$.status', equals: 'up' }, ''],
    [{ status: 'down' }, { path: '$.status', equals: 'up' }, '$.status is "down", expected "up"'],
    [{ status: 'up' }, { path: 'status', oneOf: ['up', 'ok'] }, ''],
    [
      { status: 'no' },
      { path: 'status', oneOf: ['up', 'ok'] },
      'status is "no", expected one of ["up","ok"]',
    ],
    [{ a: { b: [{ c: 5 }] } }, { path: 'a.b[0].c', above: 4 }, ''],
    [{ a: { b: [{ c: 5 }] } }, { path: 'a.b[0].c', above: 5 }, 'a.b[0].c is 5, expected above 5'],
    [{ lag: '3' }, { path: 'lag', below: 9 }, 'lag is "3", expected below 9'],
    [{ lag: 3 }, { path: 'lag', below: 9 }, ''],
    [[1, null], { path: '$[1]', equals: null }, ''],
    [[1, null], { path: '[1]', exists: true }, ''],
    [[1, null], { path: '$[2]', exists: true }, '$[2] is nothing, expected a value'],
    [[1, null], { path: '$.length', exists: false }, ''],
    [{}, { path: '$.constructor', exists: false }, ''],
    [{}, { path: '$.__proto__.constructor', exists: false }, ''],
    [{ a: 1 }, { path: 'a', exists: false }, 'a is 1, expected nothing'],
    ['up', { path: '$', equals: 'up' }, ''],
    [{ a: 'x'.repeat(500) }, { path: 'a', equals: 1 }, `a is "${'x'.repeat(79)}…, expected 1`],
  ])('judges the JSON %j by %j: %s', async (body, condition, complaint) => {
    const upstream = await startUpstream()
    upstream.behave({ body: JSON.stringify(body) })
    expect(await probe(upstream.url, { json: [condition] })).toMatchObject(
      complaint === ''
        ? { status: 'healthy', detail: 'HTTP 200' }
        : { status: 'unhealthy', detail: `HTTP 200, but ${complaint}` },
    )
  })

  it('wants all its conditions, the text and the status', async () => {
    const upstream = await startUpstream()
    upstream.behave({ body: '{"a":1,"b":2}' })
    const json = [
      { path: 'a', equals: 1 },
      { path: 'b', equals: 2 },
    ]
    expect(await probe(upstream.url, { json, bodyContains: '"a"' })).toMatchObject({ status: 'healthy' })
    expect(await probe(upstream.url, { json, bodyContains: 'c' })).toMatchObject({ status: 'unhealthy' })
    const third = [...json, { path: 'c', exists: true }]
    expect(await probe(upstream.url, { json: third })).toMatchObject({
      detail: 'HTTP 200, but c is nothing, expected a value',
    })
    upstream.behave({ body: '{"a":1,"b":2}', status: 500 })
    expect(await probe(upstream.url, { json })).toMatchObject({ status: 'unhealthy', detail: 'HTTP 500' })
  })

  it.each([
    ['no JSON', 'ok', 'the body is not JSON'],
    ['nothing', '', 'the body is not JSON'],
    ['JSON that opens and never closes', '['.repeat(60_000), 'the body is not JSON'],
    [
      'more than is read',
      JSON.stringify('x'.repeat(BODY_LIMIT)),
      'the body is longer than 64 KiB, too long to be judged as JSON',
    ],
  ])('is unhealthy where it wants JSON and gets %s', async (_, body, complaint) => {
    const upstream = await startUpstream()
    upstream.behave({ body })
    expect(await probe(upstream.url, { json: [{ path: '$', exists: true }] })).toMatchObject({
      status: 'unhealthy',
      detail: `HTTP 200, but ${complaint}`,
    })
  })

  it('names itself, unless the settings give a user agent', async () => {
    const upstream = await startUpstream()
    await probe(upstream.url)
    await probe(upstream.url, { headers: { 'User-Agent': 'me', 'X-Key': 'k' }, method: 'POST' })
    expect(upstream.requests[0]?.userAgent).toMatch(/^busbar-probe\/\d+\.\d+\.\d+ \(worker-1\)$/)
    expect(upstream.requests[1]).toMatchObject({ userAgent: 'me', method: 'POST', path: '/health' })
    expect(upstream.requests[1]?.headers['x-key']).toBe('k')
  })

  it.each<[string, Partial<HttpProbeSettings>, string | undefined, string]>([
    ['GET', {}, undefined, ''],
    ['DELETE', { method: 'DELETE' }, undefined, ''],
    ['POST', { method: 'POST' }, '0', ''],
    ['PUT', { method: 'PUT' }, '0', ''],
    ['POST with a body', { method: 'POST', body: '{"name":"Zo\u00eb"}' }, '15', '{"name":"Zo\u00eb"}'],
    ['DELETE with a body', { method: 'DELETE', body: 'x' }, '1', 'x'],
  ])('says how long what it sends is: %s', async (_, more, length, sent) => {
    const seen: [string | undefined, string | undefined, string][] = []
    const upstream = await startUpstream((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { 'content-length': contentLength, 'transfer-encoding': coding } = request.headers
        seen.push([contentLength, coding, Buffer.concat(chunks).toString()])
        response.end('ok')
      })
    })
    expect(await probe(upstream.url, more)).toMatchObject({ status: 'healthy' })
    expect(seen).toEqual([[length, undefined, sent]])
  })

  it('reads JSON after a byte order mark', async () => {
    const upstream = await startUpstream()
    upstream.behave({ body: '\ufeff{"status":"ok"}' })
    const json = [{ path: 'status', equals: 'ok' }]
    expect(await probe(upstream.url, { json })).toMatchObject({ status: 'healthy' })
  })

  it('waits for no stream where the status is all that is asked, and for as long as it takes otherwise', async () => {
    const upstream = await startUpstream((request, response) => {
      response.writeHead(request.url === '/bad' ? 500 : 200, { 'content-type': 'text/event-stream' })
      response.write(': hello\n\n')
    })
    expect(await probe(upstream.url)).toMatchObject({ status: 'healthy', detail: 'HTTP 200' })
    expect(await probe(upstream.url, { bodyContains: 'hello' })).toMatchObject({ status: 'healthy' })
    expect(await probe(upstream.url, { bodyContains: 'bye', timeoutMs: 100 })).toMatchObject({
      status: 'timeout',
    })
    const bad = upstream.url.replace('/health', '/bad')
    expect(await probe(bad, { bodyContains: 'bye' }), 'the status has decided').toMatchObject({
      detail: 'HTTP 500',
    })
  })

  it('opens a connection of its own although the process holds an idle one', async () => {
    const ports = new Set<number | undefined>()
    const upstream = await startUpstream((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    await (await fetch(upstream.url)).text()
    await probe(upstream.url)
    await probe(upstream.url)
    expect(ports.size).toBe(3)
  })
})

async function hostile(greet: (socket: Socket) => void): Promise<{ url: string; open: () => number }> {
  const { host, port, open } = await rawServer(greet)
  return { url: `http://${host}:${port}/`, open }
}

const HEAD = 'HTTP/1.1 200 OK\r\n'

describe('a hostile server', () => {
  const cases: [string, (socket: Socket) => void, Partial<HttpProbeSettings>, object][] = [
    ['says nothing', () => undefined, {}, { status: 'timeout', detail: 'no answer within 300 ms' }],
    [
      'sends its headers letter by letter for ever',
      (socket) => {
        socket.write(HEAD)
        pour(socket, 'a', 5)
      },
      {},
      { status: 'timeout', detail: 'no answer within 300 ms' },
    ],
    [
      'sends its body letter by letter for ever',
      (socket) => {
        socket.write(`${HEAD}\r\n`)
        pour(socket, 'a', 5)
      },
      {},
      { status: 'timeout', detail: 'no answer within 300 ms' },
    ],
    [
      'sends interim answers for ever',
      (socket) => pour(socket, 'HTTP/1.1 102 Processing\r\n\r\n', 1),
      {},
      { status: 'timeout' },
    ],
    [
      'sends an endless body',
      (socket) => {
        socket.write(`${HEAD}\r\n`)
        pour(socket, 'a'.repeat(10_000), 0)
      },
      {},
      { status: 'healthy', detail: 'HTTP 200' },
    ],
    [
      'sends an endless body without the text',
      (socket) => {
        socket.write(`${HEAD}\r\n`)
        pour(socket, 'a'.repeat(10_000), 0)
      },
      { bodyContains: 'b' },
      { status: 'unhealthy', detail: 'HTTP 200, but the first 64 KiB of the body lacks "b"' },
    ],
    [
      'sends 20 KB of headers',
      (socket) => socket.end(`${HEAD}set-cookie: ${'a'.repeat(20_000)}\r\n\r\nok`),
      {},
      { status: 'healthy' },
    ],
    [
      'ends its lines with line feeds alone',
      (socket) => socket.end('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
      { bodyContains: 'ok' },
      { status: 'healthy' },
    ],
    [
      'names a length beside chunks',
      (socket) => {
        socket.write(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`)
      },
      { bodyContains: 'ok' },
      { status: 'healthy' },
    ],
    [
      'sends huge headers',
      (socket) => {
        socket.write(HEAD)
        pour(socket, `x-filler: ${'a'.repeat(5_000)}\r\n`, 0)
      },
      {},
      { status: 'unhealthy', detail: 'the headers of the answer are too large' },
    ],
    [
      'does not speak HTTP',
      (socket) => socket.write('220 smtp.example.com ready\r\n'),
      {},
      { status: 'unhealthy', detail: 'the answer is not HTTP' },
    ],
    [
      'closes before it answers',
      (socket) => socket.end(),
      {},
      { status: 'unhealthy', detail: 'connection closed early' },
    ],
    [
      'resets the connection',
      (socket) => socket.resetAndDestroy(),
      {},
      { status: 'unhealthy', detail: 'connection closed early' },
    ],
    [
      'closes in the middle of its body',
      (socket) => socket.end(`${HEAD}content-length: 100\r\n\r\nhalf`),
      {},
      { status: 'unhealthy', detail: 'connection closed early' },
    ],
    [
      'changes the protocol',
      (socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      {},
      { status: 'unhealthy', detail: 'HTTP 101' },
    ],
  ]

  it.each(cases)(
    'that %s gets a verdict in time, and no connection stays',
    async (_, greet, more, judged) => {
      const { url, open } = await hostile(greet)
      const { result, ms, lostMs } = await besideMachine(() => probe(url, { timeoutMs: 300, ...more }))
      expect(result).toMatchObject(judged)
      expect(ms).toBeLessThan(2_000 + lostMs)
      await eventually(() => open() === 0)
    },
  )

  it('is read no further than the limit', async () => {
    let sent = 0
    const upstream = await startUpstream((_request, response) => {
      response.end('a'.repeat(BODY_LIMIT) + 'needle')
      sent += 1
    })
    expect(await probe(upstream.url, { bodyContains: 'needle' })).toMatchObject({ status: 'unhealthy' })
    expect(await probe(upstream.url, { bodyContains: 'aaa' })).toMatchObject({ status: 'healthy' })
    expect(sent).toBe(2)
  })
})

describe('a provider that cannot be reached', () => {
  it('refuses the connection', async () => {
    const upstream = await startUpstream()
    await upstream.close()
    expect(await probe(upstream.url)).toMatchObject({ status: 'unhealthy', detail: 'connection refused' })
  })

  it('has no address', async () => {
    // A name of a reserved domain; where there is no resolver at all, that is what is said.
    const result = await probe('http://no-such-host.invalid/', { proxy: 'none' })
    expect(result.status).toBe('unhealthy')
    expect(result.detail).toMatch(/^host (not found|name could not be resolved)$/)
    expect(result.suspectLocal, 'it may be this host whose network is gone').toBe('name_resolution')
  })

  it('does not speak TLS', async () => {
    const upstream = await startUpstream()
    const result = await probe(upstream.url.replace('http:', 'https:'))
    expect(result.status).toBe('unhealthy')
    expect(result.detail).toMatch(/^TLS: /)
  })

  it.each<[string, Partial<HttpProbeSettings>, string]>([
    ['a header with a blank', { headers: { 'bad name': 'x' } }, 'ERR_INVALID_HTTP_TOKEN'],
    ['a header beyond Latin-1', { headers: { key: 'sk\u2013live' } }, 'ERR_INVALID_CHAR'],
    ['a trailer that does not come', { headers: { trailer: 'x' } }, 'ERR_HTTP_TRAILER_INVALID'],
    [
      'the same in HTTP/2',
      { headers: { connection: 'close' }, http2: true },
      'ERR_HTTP2_INVALID_CONNECTION_HEADERS',
    ],
  ])('is not charged for %s, which this worker cannot send', async (_, more, code) => {
    const upstream = await startUpstream()
    expect(await probeHttp(settings(upstream.url, more), { workerId: 'worker-1' })).toEqual({
      kind: 'prober_error',
      reason: `the request cannot be sent: ${code}`,
    })
    expect(upstream.requests).toHaveLength(0)
  })
})
