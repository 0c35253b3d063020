import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import type { HttpProbeSettings, ProbeFinding, ProbeInput } from '../../src/model/probe.js'
import { probeHttp } from '../../src/probes/kinds/http.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'
import { startHttpProxy } from '../harness/http-proxy.js'
import { startUpstream } from '../harness/http-upstream.js'
import { rawServer } from '../harness/raw-server.js'

type HttpInput = Partial<Omit<Extract<ProbeInput, { kind: 'http' }>, 'kind'>>

function settings(url: string, more: HttpInput = {}): HttpProbeSettings {
  const { probe } = resolveSettings({ probe: { kind: 'http', timeoutMs: 2_000, http2: true, ...more, url } })
  if (probe?.kind !== 'http') throw new Error('no probe')
  return probe
}

const probe = (url: string, more?: HttpInput) => probeHttp(settings(url, more), { workerId: 'worker-1' })

type Answer = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void

/** Listens on the loopback, and ends with the test. */
async function listening(server: Server) {
  const sockets = new Set<Socket>()
  const note = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  server.on('connection', note)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A TCP server that listens has an address of this shape.
  return { port: (server.address() as AddressInfo).port, open: () => sockets.size }
}

/** A server that knows no HTTP/1. */
async function startH2(answer: Answer) {
  const server = createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    answer(stream, headers)
  })
  const { port, open } = await listening(server)
  return { url: `http://127.0.0.1:${port}/health?a=1`, open }
}

describe('an HTTP/2 probe', () => {
  it('speaks it at once with a server of plain TCP, and leaves no connection', async () => {
    const seen: Record<string, unknown>[] = []
    const { url, open } = await startH2((stream, headers) => {
      seen.push(headers)
      stream.respond({ ':status': 200 })
      stream.end('{"ok":true}')
    })
    const json = [{ path: 'ok', equals: true }]
    const headers = { 'X-Key': 'k', Host: 'api.test' }
    expect(await probe(url, { json, headers })).toMatchObject({ status: 'healthy', detail: 'HTTP 200' })
    expect(seen).toMatchObject([
      { ':method': 'GET', ':path': '/health?a=1', ':scheme': 'http', ':authority': 'api.test', 'x-key': 'k' },
    ])
    expect(seen[0]?.['user-agent']).toMatch(/^busbar-probe\//)
    await eventually(() => open() === 0, 'no connection stays')
  })

  it('sends a body', async () => {
    const bodies: string[] = []
    const { url } = await startH2((stream, headers) => {
      stream.on('data', (chunk: Buffer) => bodies.push(`${headers[':method'] as string} ${chunk.toString()}`))
      stream.on('end', () => {
        stream.respond({ ':status': 200 })
        stream.end()
      })
    })
    expect(await probe(url, { method: 'POST', body: '{"model":"m"}' })).toMatchObject({ status: 'healthy' })
    expect(bodies).toEqual(['POST {"model":"m"}'])
  })

  it.each<[string, Answer, HttpInput, object]>([
    [
      'answers with another status',
      (stream) => {
        stream.respond({ ':status': 503 }, { endStream: true })
      },
      {},
      { status: 'unhealthy', detail: 'HTTP 503' },
    ],
    [
      'streams for ever, where the status is all that is asked',
      (stream) => {
        stream.respond({ ':status': 200 })
        stream.write('data')
      },
      {},
      { status: 'healthy' },
    ],
    [
      'streams for ever, where a text is asked for',
      (stream) => {
        stream.respond({ ':status': 200 })
        stream.write('data')
      },
      { bodyContains: 'other' },
      { status: 'timeout' },
    ],
    [
      'sends 20 KB of headers',
      (stream) => {
        stream.respond({ ':status': 200, 'x-filler': 'a'.repeat(20_000) }, { endStream: true })
      },
      {},
      { status: 'healthy' },
    ],
    ['says nothing', () => undefined, {}, { status: 'timeout', detail: 'no answer within 300 ms' }],
    [
      'resets the stream',
      (stream) => stream.close(2),
      {},
      { status: 'unhealthy', detail: 'request failed: ERR_HTTP2_STREAM_ERROR' },
    ],
    [
      'refuses the stream without a word',
      (stream) => stream.close(8),
      {},
      { status: 'unhealthy', detail: 'connection closed early' },
    ],
    [
      'ends the connection',
      (stream) => stream.session?.destroy(),
      {},
      { status: 'unhealthy', detail: 'connection closed early' },
    ],
    [
      'is cut off in the middle of its body',
      (stream) => {
        stream.respond({ ':status': 200, 'content-length': 100 })
        stream.write('half', () => stream.session?.destroy())
      },
      { bodyContains: 'other' },
      { status: 'unhealthy' },
    ],
  ])('of a server that %s gets a verdict in time', async (_, answer, more, judged) => {
    const { url, open } = await startH2(answer)
    expect(await probe(url, { timeoutMs: 300, ...more })).toMatchObject(judged)
    await eventually(() => open() === 0, 'no connection stays')
  })

  it('is unhealthy where the server speaks HTTP/1 alone, or no HTTP', async () => {
    const upstream = await startUpstream()
    expect(await probe(upstream.url)).toMatchObject({
      status: 'unhealthy',
      detail: 'the server does not speak HTTP/2',
    })
    const { port } = await rawServer((socket) => socket.write('220 smtp.test ready\r\n'))
    expect(await probe(`http://127.0.0.1:${port}/`)).toMatchObject({
      status: 'unhealthy',
      detail: 'the server does not speak HTTP/2',
    })
  })

  it('is not made without its setting', async () => {
    const { url } = await startH2((stream) => stream.respond({ ':status': 200 }, { endStream: true }))
    expect(await probe(url, { http2: false })).toMatchObject({ status: 'unhealthy' })
  })
})

/** Made by a process that trusts this certificate: Node reads that when it starts. */
async function probeTrusting(cert: string, input: HttpProbeSettings): Promise<ProbeFinding> {
  const dir = mkdtempSync(join(tmpdir(), 'busbar-http2-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'cert.pem')
  writeFileSync(file, cert)
  const built = fileURLToPath(new URL('../../dist/probes/kinds/http.js', import.meta.url))
  const script = `
    import { probeHttp } from ${JSON.stringify(built)}
    console.log(JSON.stringify(await probeHttp(JSON.parse(process.argv[1]), { workerId: 'w' })))`
  const args = ['--input-type=module', '-e', script, JSON.stringify(input)]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: file },
    timeout: 20_000,
  })
  // It is what probeHttp answered, as text.
  return JSON.parse(stdout) as ProbeFinding
}

describe('an https probe that trusts the server', () => {
  it('agrees on HTTP/2 by ALPN, through a proxy as well', async () => {
    const identity = selfSigned()
    const server = createSecureServer({ ...identity, allowHTTP1: false })
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.end('over HTTP/2')
    })
    const { port } = await listening(server)
    const url = `https://localhost:${port}/`
    const wanted = { bodyContains: 'over HTTP/2' }
    expect(await probeTrusting(identity.cert, settings(url, wanted))).toMatchObject({ status: 'healthy' })
    const proxy = await startHttpProxy()
    expect(await probeTrusting(identity.cert, settings(url, { ...wanted, proxy: proxy.url }))).toMatchObject({
      status: 'healthy',
      viaProxy: true,
    })
    expect(proxy.requests).toEqual([`CONNECT localhost:${port}`])
  })

  it('goes through a proxy that speaks TLS itself', async () => {
    const identity = selfSigned()
    const server = createHttpsServer(identity, (_request, response) => response.end('ok'))
    const upstream = await startUpstream()
    const { port } = await listening(server)
    const proxy = await startHttpProxy(identity)
    const more = { http2: false, proxy: proxy.url, bodyContains: 'ok' }
    const { port: plainPort } = new URL(upstream.url)
    for (const url of [`https://localhost:${port}/`, `http://api.test:${plainPort}/`])
      expect(await probeTrusting(identity.cert, settings(url, more))).toMatchObject({ status: 'healthy' })
    expect(proxy.requests).toEqual([`CONNECT localhost:${port}`, `GET http://api.test:${plainPort}/`])
  })

  it('is unhealthy with HTTP/2 where the server has none, and healthy without, through a proxy as well', async () => {
    const identity = selfSigned()
    const server = createHttpsServer(identity, (_request, response) => response.end('ok'))
    const { port } = await listening(server)
    const url = `https://localhost:${port}/`
    const found = await probeTrusting(identity.cert, settings(url))
    expect(found).toMatchObject({ status: 'unhealthy', detail: 'the server does not speak HTTP/2' })
    const plain = { http2: false, bodyContains: 'ok' }
    expect(await probeTrusting(identity.cert, settings(url, plain))).toMatchObject({ status: 'healthy' })
    const byAddress = settings(`https://127.0.0.1:${port}/`, plain)
    expect(await probeTrusting(identity.cert, byAddress)).toMatchObject({ status: 'healthy' })
    const otherAddress = settings(url, { ...plain, headers: { host: '127.0.0.2' } })
    expect(await probeTrusting(identity.cert, otherAddress)).toMatchObject({
      status: 'unhealthy',
      detail: 'TLS: err tls cert altname invalid',
    })
    const proxy = await startHttpProxy()
    expect(await probeTrusting(identity.cert, settings(url, { ...plain, proxy: proxy.url }))).toMatchObject({
      status: 'healthy',
      viaProxy: true,
    })
  })
})
