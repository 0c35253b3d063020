import { createHmac } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { AlertMessage } from '../../src/index.js'

/** One request as a receiver of alerts saw it. */
export interface Delivery {
  readonly id: string
  readonly path: string
  readonly timestamp: string
  readonly signature: string | undefined
  /** The process that sent it, out of the user agent. */
  readonly worker: string
  readonly body: string
}

export type HookAnswer = number | 'hold' | ((response: ServerResponse) => void)

/** A receiver of alerts on the loopback. */
export interface HookServer {
  readonly url: string
  readonly port: number
  readonly deliveries: readonly Delivery[]
  /** What the webhooks among them say. */
  messages(): AlertMessage[]
  /** From now on: a status; or no answer at all. */
  answer(how: HookAnswer): void
  close(): Promise<void>
}

/** The recipe of docs/alerts.md, with Node alone. */
export const isSigned = ({ id, timestamp, signature, body }: Delivery, secret: string): boolean =>
  signature === `sha256=${createHmac('sha256', secret).update(`${timestamp}.${id}.${body}`).digest('hex')}`

/** Ends with the test. `port`: 0 is any that is free. */
export async function startHookServer(
  port = 0,
  register: (end: () => Promise<void>) => void = onTestFinished,
): Promise<HookServer> {
  const deliveries: Delivery[] = []
  let how: HookAnswer = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined) // its process was killed
    request.on('end', () => {
      const header = (name: string) => request.headers[name]
      deliveries.push({
        id: String(header('busbar-delivery')),
        path: request.url ?? '',
        timestamp: String(header('busbar-timestamp')),
        signature: header('busbar-signature')?.toString(),
        worker: /\((.*)\)/.exec(header('user-agent')?.toString() ?? '')?.[1] ?? '',
        body: Buffer.concat(chunks).toString(),
      })
      if (typeof how === 'number') response.writeHead(how).end('no')
      else if (how !== 'hold') how(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  // A TCP server that listens has an address of this shape.
  const { port: taken } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  register(close)
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    deliveries,
    messages: () => deliveries.map(({ body }) => JSON.parse(body) as AlertMessage), // as docs/alerts.md has it
    answer: (next) => {
      how = next
    },
    close,
  }
}

/** A port on which nothing listens, for a receiver that comes later. */
export async function freePort(): Promise<number> {
  const server = await startHookServer(0, () => undefined)
  await server.close()
  return server.port
}
