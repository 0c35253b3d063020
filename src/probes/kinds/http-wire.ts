import { request as requestHttp } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { explainError } from './explain.js'
import { hostOf, portOf } from './http-proxy.js'
import { identityOf } from './server-identity.js'

/**
 * The connection of one HTTP probe: TCP, through a proxy if there is one, with TLS on it if that is spoken. Nothing comes
 * from a pool and nothing goes back: what was opened is destroyed with the probe.
 */
export interface Route {
  readonly url: URL
  readonly proxy?: URL | undefined
  /** The host that TLS asks for. */
  readonly tlsHost: string
  readonly http2: boolean
}

/**
 * The side at fault if nothing comes any more: `proxy` while it is not reached yet, `either` while it has been asked and
 * has not answered, `provider` from the first byte from beyond it, or without a proxy.
 */
export type Stage = 'proxy' | 'either' | 'provider'

/** All that one probe has opened. */
export class Opened {
  readonly #things: Disposable[] = []
  #closed = false
  stage: Stage = 'provider'

  /** It is destroyed at the end; errors that come with that, or after, are dropped. */
  keep<T extends Disposable>(thing: T): T {
    thing.on('error', () => undefined)
    if (this.#closed) thing.destroy()
    else this.#things.push(thing)
    return thing
  }

  destroy(): void {
    this.#closed = true
    for (const thing of this.#things.reverse()) thing.destroy()
  }
}

interface Disposable {
  destroy(): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * The proxy failed, so nothing is known of the provider. `certain` is false where the proxy may have failed because it did
 * not reach the provider.
 */
export class ProxyError extends Error {
  readonly certain: boolean

  constructor(certain: boolean, message: string) {
    super(message)
    this.certain = certain
  }
}

/** @throws ProxyError, or what node throws for a provider that cannot be reached */
export async function openWire(route: Route, opened: Opened): Promise<Socket> {
  const { http2, proxy, tlsHost, url } = route
  const socket =
    proxy === undefined
      ? await connected(opened.keep(connectTcp({ host: hostOf(url), port: portOf(url) })))
      : await reachThrough(proxy, route, opened)
  if (url.protocol !== 'https:') return socket
  const protocols = http2 ? { ALPNProtocols: ['h2'] } : {}
  const secured = opened.keep(connectTls({ socket, ...identityOf(tlsHost), ...protocols }))
  await connected(secured, 'secureConnect')
  if (http2 && secured.alpnProtocol !== 'h2') throw new NotHttp2Error()
  return secured
}

export class NotHttp2Error extends Error {
  readonly code = 'NOT_HTTP2'
}

/** Plain HTTP/1.1 is what a proxy takes by itself, and many open no tunnel to its port. */
export const isTunnelled = ({ http2, url }: Route): boolean => http2 || url.protocol === 'https:'

/** Resolves with the socket once the event comes. */
export function connected<T extends Socket>(socket: T, event = 'connect'): Promise<T> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket))
    socket.once('error', reject)
    socket.once('close', () => reject(new ClosedError()))
  })
}

export class ClosedError extends Error {
  readonly code = 'ECONNRESET'
}

/** The name of a proxy as it may be shown: without user and password. */
export const nameOf = (proxy: URL): string => `${proxy.protocol}//${proxy.host}`

async function reachThrough(proxy: URL, route: Route, opened: Opened): Promise<Socket> {
  const socket = await reach(proxy, opened)
  opened.stage = 'either'
  if (!isTunnelled(route)) return socket
  const tunnelled = await tunnel(socket, proxy, route.url, opened)
  opened.stage = 'provider'
  return tunnelled
}

async function reach(proxy: URL, opened: Opened): Promise<Socket> {
  opened.stage = 'proxy'
  try {
    const host = hostOf(proxy)
    const socket = await connected(opened.keep(connectTcp({ host, port: portOf(proxy) })))
    if (proxy.protocol === 'http:') return socket
    return await connected(opened.keep(connectTls({ socket, ...identityOf(host) })), 'secureConnect')
  } catch (error) {
    throw new ProxyError(true, `the proxy ${nameOf(proxy)} cannot be reached: ${explainError(error)}`)
  }
}

/** By CONNECT. The proxy's own answer is not the provider's, whatever it says. */
function tunnel(socket: Socket, proxy: URL, url: URL, opened: Opened): Promise<Socket> {
  const authority = `${url.hostname}:${portOf(url)}`
  return new Promise((resolve, reject) => {
    const request = requestHttp({
      createConnection: () => socket,
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyAuthorization(proxy) },
      setHost: false,
    })
    opened.keep(request)
    const fail = (certain: boolean, how: string) =>
      reject(new ProxyError(certain, `the proxy ${nameOf(proxy)} ${how}`))
    request.once('error', (error) =>
      'code' in error && error.code === 'ECONNRESET'
        ? fail(false, 'closed the connection before it answered CONNECT')
        : fail(true, `does not answer CONNECT: ${explainError(error)}`),
    )
    request.once('connect', ({ statusCode = 0 }, tunnelled: Socket, head: Buffer) => {
      // 5xx is also what a proxy says of a host that it does not reach; the rest is about the request or the proxy.
      if (statusCode < 200 || statusCode > 299)
        fail(statusCode < 500, `answered CONNECT with HTTP ${statusCode}`)
      else {
        if (head.length > 0) tunnelled.unshift(head)
        resolve(tunnelled)
      }
    })
    request.end()
  })
}

/** Empty where the proxy's URL has no user. */
export function proxyAuthorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const credentials = `${decoded(username)}:${decoded(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** A `%` that begins no encoded character stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
