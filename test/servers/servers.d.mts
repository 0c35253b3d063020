import type { FastifyOptions } from '../../src/http/fastify.js'
import type { Handler, NodeListener } from '../../src/http/index.js'

export interface Running {
  readonly url: string
  close(): Promise<unknown>
}

export interface Mounted {
  readonly handler: Handler
  readonly node: NodeListener
  readonly plugin: (app: never, options: FastifyOptions, done: (error?: Error) => void) => void
}

export const SERVERS: Readonly<Record<string, (mounted: Mounted, mount: string) => Promise<Running>>>

export function startProxy(target: string, prefix: string): Promise<Running>
