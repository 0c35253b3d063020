import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A body that comes in several pieces, and what a whole copy of it hashes to. */
export const BODY = Buffer.alloc(300_000, 'busbar ')
export const digest = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')

type Answer = (request: IncomingMessage, response: ServerResponse, how: string) => void

const ANSWERS: Readonly<Record<string, Answer>> = {
  /** Never answers. */
  hang: () => undefined,
  /** Breaks off before the head. */
  reset: (request) => void request.socket.destroy(),
  /** Breaks off within the body. */
  cut: (request, response) => {
    response.writeHead(200, { 'content-length': 1_000 })
    response.write('{', () => request.socket.destroy())
  },
  /** The head at once, the body in pieces. */
  slow: (_, response) => {
    response.writeHead(200)
    let at = 0
    const next = () => {
      if (at >= BODY.length) return void response.end()
      response.write(BODY.subarray(at, (at += 100_000)))
      setTimeout(next, 5)
    }
    next()
  },
  /** A body without end. */
  endless: (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('more '), 5)
    response.on('close', () => clearInterval(timer))
  },
  echo: (request, response) => {
    response.writeHead(200)
    request.pipe(response)
  },
}

/**
 * A server that answers as its path says: `/<status>`, with `retry-after: 7` for `/<status>/later`; the names of `ANSWERS`;
 * `/redirect?to=<url>`.
 */
export async function startAnswerServer() {
  let requests = 0
  let open = 0
  const server = createServer((request, response) => {
    requests += 1
    open += 1
    response.on('close', () => (open -= 1))
    const url = new URL(request.url ?? '/', 'http://localhost')
    const [, what = '', how = ''] = url.pathname.split('/')
    const answer = ANSWERS[what]
    if (answer !== undefined) {
      answer(request, response, how)
      return
    }
    if (what === 'redirect') {
      response.writeHead(302, { location: url.searchParams.get('to') ?? '/200' })
      return void response.end()
    }
    response.writeHead(Number(what), how === 'later' ? { 'retry-after': '7' } : {})
    response.end(what === '200' ? BODY : `{"status":${what}}`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // An HTTP server on TCP has a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests
    },
    /** Requests whose client still waits for an answer, or for more of it. */
    get open() {
      return open
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export type AnswerServer = Awaited<ReturnType<typeof startAnswerServer>>
