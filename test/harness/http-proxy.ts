import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Identity } from './certificate.js'

/** An egress proxy on the loopback: forwards plain requests, opens tunnels for CONNECT, and keeps a log. */
export interface HttpProxy {
  readonly url: string
  readonly port: number
  /** `CONNECT host:port` and `GET http://host/path`, as they came. */
  readonly requests: readonly string[]
  /** The credentials of each request; undefined for none. */
  readonly credentials: readonly (string | undefined)[]
  /** Connections of clients that still stand. */
  readonly open: () => number
  /** From now on each CONNECT and each request is answered with this status; `undefined`: they are served. */
  refuse(status: number | 'silence' | 'close' | undefined): void
  close(): Promise<void>
}

/** Every name leads to this host. Ends with the test. With an identity its clients speak TLS to it. */
export async function startHttpProxy(identity?: Identity): Promise<HttpProxy> {
  const requests: string[] = []
  const credentials: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  let refusal: number | 'silence' | 'close' | undefined
  const note = ({ headers, method = '', url = '' }: IncomingMessage) => {
    requests.push(`${method} ${url}`)
    const encoded = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '')?.[1]
    credentials.push(encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString())
  }
  const forward = (incoming: IncomingMessage, response: ServerResponse) => {
    note(incoming)
    if (refusal === 'silence') return
    if (refusal === 'close') {
      incoming.socket.destroy()
      return
    }
    if (refusal !== undefined) {
      response.writeHead(refusal).end()
      return
    }
    const { port, pathname, search } = new URL(incoming.url ?? '')
    const { method } = incoming
    const headers = { ...incoming.headers }
    delete headers['proxy-authorization'] // for the proxy alone
    const onward = request({ host: '127.0.0.1', port, path: pathname + search, method, headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.writeHead(502).end())
    incoming.pipe(onward)
  }
  const server = identity === undefined ? createServer(forward) : createHttpsServer(identity, forward)
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    note(incoming)
    client.on('error', () => undefined)
    client.on('end', () => client.end())
    if (refusal === 'silence')
      client.resume() // who does not read does not see the other side go
    else if (refusal === 'close') client.destroy()
    else if (refusal !== undefined) client.end(`HTTP/1.1 ${refusal} x\r\n\r\n`)
    else openTunnel(client, Number(incoming.url?.split(':').at(-1)))
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server that listens has an address of this shape.
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  onTestFinished(close)
  return {
    url: identity === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    requests,
    credentials,
    open: () => sockets.size,
    refuse: (status) => {
      refusal = status
    },
    close,
  }
}

function openTunnel(client: Socket, port: number): void {
  const onward = connect(port, '127.0.0.1')
  onward.on('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    client.pipe(onward).pipe(client)
  })
  onward.on('error', () => client.end('HTTP/1.1 502 x\r\n\r\n'))
  client.on('close', () => onward.destroy())
}
