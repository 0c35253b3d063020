import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createHandlerWith } from '../../src/http/handler.js'
import { toNode, type HandlerOptions } from '../../src/http/index.js'
import { STREAM_TIMES, type StreamTimes } from '../../src/http/stream/stream-hub.js'
import type { Busbar } from '../../src/index.js'
import { realFleet } from './real-fleet.js'

/** A server of node:http on a free port, closed with the test. */
export async function serve(
  listener: RequestListener,
): Promise<{ url: string; port: number; close: () => Promise<void> }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  return { url: `http://127.0.0.1:${port}`, port, close }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A request that may say anything: fetch refuses to send a Host, an Origin or a path of one's own. */
export function raw(
  port: number,
  {
    method = 'GET',
    path = '/',
    headers = {},
    body,
  }: { method?: string; path?: string; headers?: Record<string, string>; body?: string },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      answer.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** One message of a stream. */
export interface StreamMessage {
  readonly event: string
  readonly id: string | undefined
  readonly data: Record<string, unknown>
}

/** Reads a stream of Server-Sent Events until it is closed. */
export class StreamClient {
  readonly messages: StreamMessage[] = []
  comments = 0
  ended = false
  readonly #abort = new AbortController()

  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamClient> {
    const client = new StreamClient()
    const answer = await fetch(url, { headers, signal: client.#abort.signal })
    if (answer.body === null || !answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`)
    void client.#read(answer.body)
    return client
  }

  close(): void {
    this.#abort.abort()
  }

  of(event: string): StreamMessage[] {
    return this.messages.filter((message) => message.event === event)
  }

  get lastId(): string | undefined {
    return this.messages.findLast(({ id }) => id !== undefined)?.id
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = ''
    const decoder = new TextDecoder()
    try {
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#message(block)
      }
    } catch {
      // Closed by this client, or cut off by the server: `ended` says so.
    }
    this.ended = true
  }

  #message(block: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
    if (block.startsWith(':')) this.comments += 1
    const event = fields.get('event')
    if (event === undefined) return
    this.messages.push({
      event,
      id: fields.get('id'),
      data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown>,
    })
  }
}

export const OPERATOR = { actor: 'alice', can: 'operate' } as const

/** The handler of a fleet of two providers, behind node:http. */
export async function httpFleet(options: Partial<HandlerOptions> = {}, times: Partial<StreamTimes> = {}) {
  const fleet = realFleet()
  const busbar = await fleet.join({ workerId: 'worker-1' })
  const openai = await busbar.provider('openai', { breaker: { failureThreshold: 2 } })
  const mistral = await busbar.provider('mistral')
  const served = await over(busbar, options, times)
  return { ...fleet, ...served, busbar, openai, mistral }
}

/** The same over a busbar that is there. */
async function over(busbar: Busbar, options: Partial<HandlerOptions>, times: Partial<StreamTimes> = {}) {
  const handler = createHandlerWith(
    busbar,
    { authorize: () => OPERATOR, ...options },
    { ...STREAM_TIMES, ...times },
  )
  onTestFinished(() => handler.close())
  const { url, port } = await serve(toNode(handler))
  const answerOf = async (answer: Response) => {
    const body: unknown = await answer.json()
    return { status: answer.status, type: answer.headers.get('content-type'), body }
  }
  const get = async (path: string, headers: Record<string, string> = {}) =>
    answerOf(await fetch(url + path, { headers }))
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) =>
    answerOf(
      await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    )
  return { handler, url, port, get, post }
}
httpFleet.over = over
