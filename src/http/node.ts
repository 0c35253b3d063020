import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Handler } from './handler.js'
import { setMount } from './mount.js'
import { timeLimitOf } from './time-limit.js'

/** What frameworks add to a request of node: the path before it was cut, and a body that they have read. */
export interface NodeRequest extends IncomingMessage {
  readonly originalUrl?: string
  readonly baseUrl?: string
  readonly body?: unknown
}

/** Called with an error where the answer could not be sent. */
export type NodeListener = (request: NodeRequest, response: ServerResponse) => void

/** The handler as a listener of node:http, which is a middleware of Express, Nest, Connect and Restify too. It answers every request. */
export const toNode =
  (handler: Handler): NodeListener =>
  (request, response) => {
    void serveNode(handler, request, response)
  }

/** `mount`: the path where the handler is mounted; undefined where the server does not say. */
export async function serveNode(
  handler: Handler,
  request: NodeRequest,
  response: ServerResponse,
  mount = mountIn(request),
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const asked = requestOf(request, gone.signal)
  if (asked === undefined) {
    response.writeHead(400, { connection: 'close', 'content-type': 'text/plain' }).end('bad request\n')
    return
  }
  if (mount !== undefined) setMount(asked, mount)
  const answer = await handler(asked)
  try {
    await send(answer, request, response)
  } catch {
    response.destroy() // something else has answered already
  }
}

/** Express says where it is mounted; Connect leaves it to be found out by what it has cut off. */
function mountIn({ baseUrl, originalUrl, url = '/' }: NodeRequest): string | undefined {
  if (baseUrl !== undefined || originalUrl === undefined) return baseUrl
  if (originalUrl.endsWith(url)) return originalUrl.slice(0, -url.length)
  return url === '/' ? originalUrl : undefined
}

/** Undefined for one that makes no sense: its Host, or its path. */
function requestOf(request: NodeRequest, signal: AbortSignal): Request | undefined {
  const { method = 'GET' } = request
  const headers = new Headers()
  let hosts = 0
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(i, i + 2)
    // Names of HTTP/2 that are no headers.
    if (!name.startsWith(':')) headers.append(name, value)
    if (name.toLowerCase() === 'host') hosts += 1
  }
  // A proxy in front may have looked at the other one.
  if (hosts > 1) return undefined
  const host = request.headers.host ?? request.headers[':authority'] ?? 'localhost'
  const path = pathOf(request.originalUrl ?? request.url ?? '/')
  if (path === undefined || typeof host !== 'string' || !HOST.test(host)) return undefined
  const scheme = 'encrypted' in request.socket ? 'https' : 'http'
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(request)
  try {
    return new Request(`${scheme}://${host}${path}`, {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    })
  } catch {
    return undefined // a method that fetch does not know, such as TRACE
  }
}

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/** Only the path counts: an address in the request line (`GET http://elsewhere/ HTTP/1.1`, `GET //elsewhere/`) must not replace the Host. */
function pathOf(url: string): string | undefined {
  if (url.startsWith('/')) return url.replace(/^\/+/, '/')
  try {
    const { pathname, search } = new URL(url)
    return pathname + search
  } catch {
    return undefined
  }
}

/** A framework's parser may have read the body already: then it is written again. */
function bodyOf(request: NodeRequest): RequestInit['body'] {
  const { body } = request
  if (!request.readableEnded || body === undefined || body === null) return streamOf(request)
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
}

function streamOf(request: NodeRequest): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer, undefined> = request[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await chunks.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
    },
    { highWaterMark: 0 },
  )
}

async function send(answer: Response, request: NodeRequest, response: ServerResponse): Promise<void> {
  // A body that was not read to its end: the rest is not read, however much is sent.
  const unread = !request.complete && request.method !== 'GET' && request.method !== 'HEAD'
  for (const [name, value] of answer.headers) response.appendHeader(name, value)
  if (unread) response.setHeader('connection', 'close')
  response.statusCode = answer.status
  if (answer.body === null) response.end()
  else await pipe(answer.body, response, timeLimitOf(answer))
  if (unread) response.once('finish', () => request.destroy())
}

/** It waits for a client that reads slowly, and ends with whichever ends first: the answer, or the connection. */
async function pipe(
  body: ReadableStream<Uint8Array>,
  response: ServerResponse,
  limitMs: number,
): Promise<void> {
  const reader = body.getReader()
  // The producer gave up, say on a client that does not read: what waits to be sent is thrown away.
  reader.closed.catch(() => response.destroy())
  const gone = new Promise<void>((resolve) => response.once('close', resolve))
  void gone.then(() => reader.cancel().catch(() => undefined))
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (response.destroyed) return
      if (!response.write(value)) await drained(response, limitMs)
    }
    response.end()
  } catch {
    response.destroy()
  }
}

/** Or closed. A client that takes nothing is cut off. */
function drained(response: ServerResponse, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), limitMs).unref()
    const done = () => {
      clearTimeout(timer)
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
