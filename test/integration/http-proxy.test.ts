import { createServer } from 'node:net'
import { createServer as createH2Server } from 'node:http2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import type { HttpProbeSettings, ProbeInput } from '../../src/model/probe.js'
import { probeHttp } from '../../src/probes/kinds/http.js'
import { ProxyBlame } from '../../src/probes/kinds/http-proxy-blame.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'
import { startHttpProxy } from '../harness/http-proxy.js'
import { startUpstream } from '../harness/http-upstream.js'
import { rawServer } from '../harness/raw-server.js'

type HttpInput = Partial<Omit<Extract<ProbeInput, { kind: 'http' }>, 'kind'>>

/** Names end in `.test`: no resolver knows them, so what answers for one was reached through the proxy. */
function settings(url: string, more: HttpInput = {}): HttpProbeSettings {
  const { probe } = resolveSettings({ probe: { kind: 'http', timeoutMs: 2_000, ...more, url } })
  if (probe?.kind !== 'http') throw new Error('no probe')
  return probe
}

const probe = (url: string, more: HttpInput = {}, blame = new ProxyBlame()) =>
  probeHttp(settings(url, more), { workerId: 'worker-1', blame })

const portOf = (url: string) => new URL(url).port

/** The certificate is not trusted: a handshake that fails for it has come to the server. */
const UNTRUSTED = { status: 'unhealthy', detail: 'TLS: depth zero self signed cert', viaProxy: true }

const startTls = async () => `https://api.test:${(await rawServer(undefined, selfSigned())).port}/`

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function setVariable(name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  onTestFinished(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = before
  })
}

describe('a probe through a proxy', () => {
  it('sends plain HTTP to it with the whole URL', async () => {
    const [proxy, upstream] = [await startHttpProxy(), await startUpstream()]
    const url = `http://api.test:${portOf(upstream.url)}/health?a=1`
    expect(await probe(url, { proxy: proxy.url })).toMatchObject({ status: 'healthy', viaProxy: true })
    expect(proxy.requests).toEqual([`GET ${url}`])
    expect(upstream.requests[0]).toMatchObject({ path: '/health?a=1' })
    expect(upstream.requests[0]?.headers.host).toBe(new URL(url).host)
    await eventually(() => proxy.open() === 0, 'no connection stays')
  })

  it('has it open a tunnel for https', async () => {
    const proxy = await startHttpProxy()
    const url = await startTls()
    expect(await probe(url, { proxy: proxy.url })).toMatchObject(UNTRUSTED)
    expect(proxy.requests).toEqual([`CONNECT ${new URL(url).host}`])
    await eventually(() => proxy.open() === 0, 'no connection stays')
  })

  it('has it open a tunnel for HTTP/2', async () => {
    const proxy = await startHttpProxy()
    const server = createH2Server((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => {
      server.close()
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const found = await probe(`http://api.test:${port}/`, {
      proxy: proxy.url,
      http2: true,
      bodyContains: 'ok',
    })
    expect(found).toMatchObject({ status: 'healthy' })
    expect(proxy.requests).toEqual([`CONNECT api.test:${port}`])
  })

  it('logs in with the user and the password of its URL, which the provider does not see', async () => {
    const [proxy, upstream] = [await startHttpProxy(), await startUpstream()]
    setVariable('BUSBAR_TEST_PROXY_PASSWORD', 'p:a@ss%')
    const url = proxy.url.replace('http://', 'http://me:${env:BUSBAR_TEST_PROXY_PASSWORD}@')
    await probe(`http://api.test:${portOf(upstream.url)}/`, { proxy: url })
    await probe(await startTls(), { proxy: url })
    expect(proxy.credentials).toEqual(['me:p:a@ss%', 'me:p:a@ss%'])
    expect(upstream.requests[0]?.headers).not.toHaveProperty('proxy-authorization')
  })

  it('takes it from the environment, unless the settings say none or the host is excepted', async () => {
    const [proxy, upstream] = [await startHttpProxy(), await startUpstream()]
    setVariable('http_proxy', proxy.url)
    setVariable('no_proxy', 'excepted.test')
    const at = (host: string) => `http://${host}:${portOf(upstream.url)}/`
    expect(await probe(at('api.test'))).toMatchObject({ status: 'healthy' })
    expect(await probe(at('excepted.test'))).toMatchObject({
      detail: expect.stringMatching(/^host/) as string,
    })
    expect(await probe(at('api.test'), { proxy: 'none' })).toMatchObject({ suspectLocal: 'name_resolution' })
    expect(await probe(at('127.0.0.1')), 'this host is no proxy’s').not.toHaveProperty('viaProxy')
    expect(proxy.requests).toHaveLength(1)
  })

  it('charges the provider for what comes from beyond it', async () => {
    const [proxy, upstream] = [await startHttpProxy(), await startUpstream()]
    upstream.behave({ status: 503 })
    const url = `http://api.test:${portOf(upstream.url)}/`
    expect(await probe(url, { proxy: proxy.url })).toMatchObject({ status: 'unhealthy', detail: 'HTTP 503' })
    const silent = await rawServer()
    const found = await probe(`https://api.test:${silent.port}/`, { proxy: proxy.url, timeoutMs: 300 })
    expect(found).toMatchObject({ status: 'timeout', detail: 'no answer within 300 ms' })
  })
})

describe('a proxy that fails is not charged to the provider:', () => {
  const HTTP = 'http://api.test/'
  const HTTPS = 'https://api.test/'

  it.each([HTTP, HTTPS])('it cannot be reached, for %s', async (url) => {
    const port = await closedPort()
    expect(await probe(url, { proxy: `http://user:hunter2@127.0.0.1:${port}` })).toEqual({
      kind: 'prober_error',
      reason: `the proxy http://127.0.0.1:${port} cannot be reached: connection refused`,
    })
  })

  it.each([HTTP, HTTPS])('its name cannot be resolved, for %s', async (url) => {
    expect(await probe(url, { proxy: 'http://proxy.invalid:3128' })).toMatchObject({
      kind: 'prober_error',
      reason: expect.stringMatching(
        /^the proxy http:\/\/proxy\.invalid:3128 cannot be reached: host/,
      ) as string,
    })
  })

  it('its TLS is not trusted', async () => {
    const { port } = await rawServer(undefined, selfSigned())
    expect(await probe(HTTPS, { proxy: `https://localhost:${port}` })).toMatchObject({
      kind: 'prober_error',
      reason: `the proxy https://localhost:${port} cannot be reached: TLS: depth zero self signed cert`,
    })
  })

  it('it says nothing when TLS begins', async () => {
    const { port } = await rawServer()
    expect(await probe(HTTPS, { proxy: `https://localhost:${port}`, timeoutMs: 200 })).toMatchObject({
      kind: 'prober_error',
      reason: `the proxy https://localhost:${port} cannot be reached within 200 ms`,
    })
  })

  it.each([
    [HTTP, 407, 'answered HTTP 407'],
    [HTTPS, 407, 'answered CONNECT with HTTP 407'],
    [HTTPS, 403, 'answered CONNECT with HTTP 403'],
  ])('to %s it answers HTTP %i', async (url, status, reason) => {
    const proxy = await startHttpProxy()
    proxy.refuse(status)
    const found = await probe(url, { proxy: proxy.url })
    expect(found).toEqual({ kind: 'prober_error', reason: `the proxy ${proxy.url} ${reason}` })
  })

  it('it does not speak HTTP', async () => {
    const { port } = await rawServer((socket) => socket.write('220 smtp.test ready\r\n'))
    expect(await probe(HTTPS, { proxy: `http://127.0.0.1:${port}` })).toMatchObject({
      kind: 'prober_error',
      reason: `the proxy http://127.0.0.1:${port} does not answer CONNECT: the answer is not HTTP`,
    })
  })

  it.each<[string, 502 | 'close' | 'silence', string]>([
    [HTTPS, 502, 'answered CONNECT with HTTP 502'],
    [HTTPS, 'close', 'closed the connection before it answered CONNECT'],
    [HTTPS, 'silence', 'no answer within 300 ms'],
    [HTTP, 'close', 'connection closed early'],
    [HTTP, 'silence', 'no answer within 300 ms'],
  ])('to %s its answer is %s, unless it has carried another host since', async (url, answer, reason) => {
    const [proxy, upstream, blame] = [await startHttpProxy(), await startUpstream(), new ProxyBlame()]
    const more = { proxy: proxy.url, timeoutMs: 300 }
    proxy.refuse(answer)
    for (let i = 0; i < 2; i += 1) {
      const found = await probe(url, more, blame)
      expect(found).toMatchObject({ kind: 'prober_error', reason: expect.stringContaining(reason) as string })
      expect(found).toMatchObject({ reason: expect.stringMatching(/ may be what failed$/) as string })
    }
    proxy.refuse(undefined)
    const other = `http://other.test:${portOf(upstream.url)}/`
    expect(await probe(other, { proxy: proxy.url }, blame)).toMatchObject({ status: 'healthy' })
    proxy.refuse(answer)
    expect(await probe(url, more, blame)).toMatchObject({
      status: answer === 'silence' ? 'timeout' : 'unhealthy',
      detail: expect.stringContaining(reason) as string,
    })
    await eventually(() => proxy.open() === 0, 'no connection stays')
  })
})
