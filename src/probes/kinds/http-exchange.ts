import { request as requestHttp, type IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { codeOf } from './explain.js'
import { readBody, type Body, type Wanted } from './http-body.js'
import {
  ClosedError,
  isTunnelled,
  NotHttp2Error,
  openWire,
  proxyAuthorization,
  type Opened,
  type Route,
} from './http-wire.js'

/** One request as it is sent, and what its answer is asked for. */
export interface HttpRequest {
  readonly route: Route
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly wanted: Wanted
  /** True for a status that fails the probe by itself: then the body says nothing more. */
  readonly isUnexpected: (status: number) => boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Body
}

/** Node refused to make a request of it: no byte of it was sent. */
export class UnsendableError extends Error {}

/** Of the headers of an answer, no more than this is read, bytes. */
const HEADER_LIMIT = 65_536

/** @throws UnsendableError, ProxyError, or what node throws for a provider that cannot be reached or does not answer */
export async function exchange(request: HttpRequest, opened: Opened): Promise<HttpAnswer> {
  const socket = await openWire(request.route, opened)
  return request.route.http2 ? overHttp2(socket, request, opened) : overHttp1(socket, request, opened)
}

function overHttp1(socket: Socket, request: HttpRequest, opened: Opened): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = send(() => {
      const { body, method } = request
      const options = { method, headers: http1Headers(request), path: http1Path(request.route) }
      const made = opened.keep(
        requestHttp({
          ...options,
          createConnection: () => socket,
          setHost: false,
          maxHeaderSize: HEADER_LIMIT,
          // Line feeds alone, a length beside chunks: nothing follows on this connection that they could smuggle in.
          insecureHTTPParser: true,
        }),
      )
      return made.end(body)
    })
    // The first that comes counts.
    sent.on('error', reject)
    sent.on('close', () => reject(new ClosedError()))
    sent.on('response', (response) => {
      opened.stage = 'provider'
      receive(request, { status: response.statusCode ?? 0, headers: response.headers, body: response }).then(
        resolve,
        reject,
      )
    })
    sent.on('upgrade', ({ statusCode = 0 }) => resolve({ status: statusCode, body: NO_BODY }))
  })
}

/** As a proxy wants it where it is not tunnelled: the whole URL, without what is not for the wire. */
function http1Path(route: Route): string {
  const { pathname, search } = route.url
  const path = `${pathname}${search}`
  return isProxied(route) ? `${route.url.origin}${path}` : path
}

const isProxied = (route: Route): boolean => route.proxy !== undefined && !isTunnelled(route)

function http1Headers({ body, headers, method, route }: HttpRequest): Record<string, string | number> {
  const { proxy, url } = route
  const length = body === undefined ? (WITH_CONTENT.has(method) ? 0 : undefined) : Buffer.byteLength(body)
  return {
    ...(hasHeader(headers, 'host') ? {} : { host: url.host }),
    ...headers,
    ...(proxy !== undefined && isProxied(route) ? proxyAuthorization(proxy) : {}),
    ...(length === undefined ? {} : { 'content-length': length }),
  }
}

/** Their content is expected, so that none is to be said. */
const WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

export const hasHeader = (headers: HttpRequest['headers'], wanted: string): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === wanted)

async function overHttp2(socket: Socket, request: HttpRequest, opened: Opened): Promise<HttpAnswer> {
  // On demand: few probes ask for it.
  const { connect } = await import('node:http2')
  const { body, route } = request
  return new Promise((resolve, reject) => {
    const session = opened.keep(
      connect(route.url.origin, { createConnection: () => socket, settings: { enablePush: false } }),
    )
    const fail = (error: Error) => reject(isNotHttp2(error) ? new NotHttp2Error() : error)
    session.on('error', fail)
    session.on('close', () => reject(new ClosedError()))
    const stream = send(() => opened.keep(session.request(http2Headers(request))).end(body))
    stream.on('error', fail)
    stream.on('close', () => reject(new ClosedError()))
    stream.on('response', (headers) => {
      receive(request, { status: headers[':status'] ?? 0, headers, body: stream }).then(resolve, reject)
    })
  })
}

/** The errors of node for a server that answers the preface of HTTP/2 with something else. */
const isNotHttp2 = (error: Error): boolean =>
  codeOf(error) === 'ERR_HTTP2_ERROR' || codeOf(error) === 'ERR_HTTP2_SESSION_ERROR'

function http2Headers({ body, headers, method, route }: HttpRequest): Record<string, string | number> {
  const small = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const { host = route.url.host, ...others } = Object.fromEntries(small) as Record<string, string>
  const { pathname, protocol, search } = route.url
  return {
    ...others,
    ':method': method,
    ':scheme': protocol.slice(0, -1),
    ':authority': host,
    ':path': `${pathname}${search}`,
    ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
  }
}

/** Node checks a request when it is made: an error here comes before the first byte is sent. */
function send<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    const code = codeOf(error)
    throw new UnsendableError(`the request cannot be sent: ${code === '' ? 'node refuses it' : code}`)
  }
}

interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
}

/**
 * Where nothing is asked of the body, one that is a stream is not waited for: its end may never come. One whose length was
 * announced, or that ends with the connection, is a part of the answer: cut off, the answer did not come.
 */
function receive(
  { isUnexpected, wanted }: HttpRequest,
  { body, headers, status }: Received,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const isWanted = wanted.bodyContains !== undefined || wanted.json !== undefined
    body.on('error', () => undefined)
    if (isUnexpected(status) || (!isWanted && isStream(headers))) resolve({ status, body: NO_BODY })
    else readBody(body, wanted, (read) => resolve({ status, body: read }), reject)
  })
}

const isStream = (headers: IncomingHttpHeaders): boolean => {
  const { 'transfer-encoding': coding } = headers
  return coding !== undefined || (':status' in headers && headers['content-length'] === undefined)
}

const NO_BODY: Body = { found: false, cut: false, bytes: Buffer.alloc(0) }
