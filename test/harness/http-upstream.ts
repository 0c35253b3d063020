import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** One request as the upstream saw it. */
export interface SeenRequest {
  /** ms, monotonic. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly userAgent: string
  readonly headers: IncomingMessage['headers']
}

export interface Behaviour {
  /** Default 200. */
  readonly status?: number
  /** Default `ok`. */
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  /** How long the answer takes, ms. Default 0. */
  readonly delayMs?: number
}

/** A provider on the loopback that does as it is told, and keeps a log. */
export interface HttpUpstream {
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** How it answers from now on; what is not named takes its default. */
  behave(behaviour: Behaviour): void
  /** ms between one request and the next. */
  gaps(): number[]
  close(): Promise<void>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Ends with the test. With `handler` the answer is its business, and `behave` does nothing. */
export async function startUpstream(handler?: Handler): Promise<HttpUpstream> {
  const requests: SeenRequest[] = []
  let behaviour: Behaviour = {}
  const answer = async (response: ServerResponse) => {
    const { status = 200, body = 'ok', headers = {}, delayMs = 0 } = behaviour
    if (delayMs > 0) await sleep(delayMs)
    response.writeHead(status, headers).end(body)
  }
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const userAgent = headers['user-agent'] ?? ''
    requests.push({ at: performance.now(), method, path: url, userAgent, headers })
    if (handler === undefined) void answer(response)
    else handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has an address of this shape.
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  return {
    url: `http://127.0.0.1:${port}/health`,
    requests,
    behave: (next) => {
      behaviour = next
    },
    gaps: () => requests.slice(1).map(({ at }, i) => at - (requests[i]?.at ?? at)),
    close,
  }
}
