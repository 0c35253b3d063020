/** `busbar/fastify`: the handler as a plugin. `app.register(busbarFastify, { prefix: '/busbar', handler })`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Handler } from './handler.js'
import { serveNode } from './node.js'

/** The part of Fastify's interface that the plugin uses. */
interface Instance {
  readonly prefix: string
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: unknown, body: unknown, done: (error: null) => void) => void,
  ): unknown
  all(path: string, run: (request: { readonly raw: IncomingMessage }, reply: Reply) => void): unknown
}

interface Reply {
  readonly raw: ServerResponse
  hijack(): unknown
}

export interface FastifyOptions {
  /** As `createHandler` made it. */
  readonly handler: Handler
}

export function busbarFastify(
  app: Instance,
  { handler }: FastifyOptions,
  done: (error?: Error) => void,
): void {
  // The handler reads bodies itself, so that its limit holds.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, parsed) => parsed(null))
  const mount = /[:*]/.test(app.prefix) ? undefined : app.prefix.replace(/\/$/, '')
  const run = ({ raw }: { readonly raw: IncomingMessage }, reply: Reply) => {
    reply.hijack()
    void serveNode(handler, raw, reply.raw, mount)
  }
  app.all('/', run)
  app.all('/*', run)
  done()
}

export default busbarFastify
