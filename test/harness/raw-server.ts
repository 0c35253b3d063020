import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Identity } from './certificate.js'

/** A server that does to each connection what it likes. */
export interface RawServer {
  readonly host: string
  readonly port: number
  /** Connections that still stand. */
  readonly open: () => number
}

/** Ends with the test. With an identity it speaks TLS first. */
export async function rawServer(
  greet: (socket: Socket) => void = () => undefined,
  identity?: Identity,
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    socket.on('error', () => undefined)
    socket.resume() // who does not read does not see the other side go
    greet(socket)
  }
  const server: Server = identity === undefined ? createServer(accept) : createTlsServer(identity, accept)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A TCP server that listens has an address of this shape.
  const { port } = server.address() as AddressInfo
  return { host: '127.0.0.1', port, open: () => sockets.size }
}

/** Writes `text` again and again, as fast as the other side takes it or every `everyMs`. */
export function pour(socket: Socket, text: string, everyMs: number): void {
  const more = () => {
    if (!socket.destroyed) socket.write(text, () => (everyMs > 0 ? setTimeout(more, everyMs) : more()))
  }
  more()
}
