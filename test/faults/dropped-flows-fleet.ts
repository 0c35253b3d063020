import { onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { connect, type Busbar, type ConnectOptions } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { startProxy } from '../harness/proxy.js'

/** A flow between a process and its Redis is dropped without FIN or RST, as a NAT or a load balancer does; new flows work. */

export const BACK_WITHIN_MS = 15_000

/** Which connection a flow is, by what was sent on it. */
export const isSubscription = (sent: string) => /\r\nsubscribe\r\n/i.test(sent)
export const isBlocking = (sent: string) => /\r\nbzpopmin\r\n/i.test(sent)
/** Busbar's own scripts look at a queue too; its events are BullMQ's alone. */
export const isQueue = (sent: string) => sent.includes(':probes:events') && !isBlocking(sent)
export const isCommands = (sent: string) =>
  sent.includes('busbar:') && !isSubscription(sent) && !isQueue(sent) && !isBlocking(sent)

export interface Line {
  readonly connection?: string
  readonly silentMs?: number
  readonly message: string
}

export async function join(options: Partial<ConnectOptions> & Pick<ConnectOptions, 'redis'>) {
  const lines: Line[] = []
  const note = (fields: object, message: string) => void lines.push({ ...fields, message })
  const logger = { debug: () => undefined, info: () => undefined, warn: note, error: note }
  const busbar = await connect({ logger, ...options })
  onTestFinished(() => busbar.close({ timeoutMs: 500 }))
  return { busbar, replaced: () => lines.filter(({ message }) => /it is replaced$/.test(message)) }
}

/** A process whose Redis is behind a proxy, and one with a way of its own. */
export async function fleet() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startProxy(server.port)
  const near = await join({ redis: proxy.url })
  // Its flows are whole: on a busy machine it is to be slow, not to take Redis for lost.
  const { busbar: far } = await join({ redis: server.url, logger: false, commandTimeoutMs: 5_000 })
  return { server, proxy, near, far }
}

/** How long it took until `holds`, ms. */
export async function timed(what: string, holds: () => boolean | Promise<boolean>): Promise<number> {
  const began = performance.now()
  await eventually(holds, { what, timeoutMs: BACK_WITHIN_MS })
  return Math.round(performance.now() - began)
}

export const answers = (busbar: Busbar, id: string) => async () =>
  busbar
    .get(id)
    ?.state()
    .then(
      () => busbar.degradedSince === undefined,
      () => false,
    ) ?? false

export const names = (lines: readonly Line[]) => lines.map(({ connection }) => connection)
