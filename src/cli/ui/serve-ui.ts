import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Busbar } from '../../index.js'
import { securityHeaders } from '../../http/guard.js'
import { createHandler, type Handler, type Viewer } from '../../http/index.js'
import { serveNode } from '../../http/node.js'
import { problemOf, Refused } from '../../http/problem.js'
import { whoAmI } from '../common.js'
import { allowedHosts, asHost, isLoopback, nameIn } from './hosts.js'
import { listen, USUAL_PORT } from './listen.js'
import { login } from './login.js'
import { makeToken, Sessions, tokenFromEnvironment } from './token.js'

export interface UiOptions {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly readOnly?: boolean | undefined
  readonly environment?: string | undefined
  /** Names besides those of this machine by which clients may call it. */
  readonly allowHost?: readonly string[] | undefined
}

export interface Ui {
  /** For a browser. Where a token was made just now, it has it: printed once, and nowhere else. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves the page and the API of a fleet from a socket of its own, so that it can check what a handler cannot: the address
 * of the client, and the Host against a list.
 *
 * On loopback every user of this machine may do everything, unless BUSBAR_TOKEN is set. Elsewhere a token is needed.
 */
export async function serveUi(busbar: Busbar, options: UiOptions = {}): Promise<Ui> {
  const { host = '127.0.0.1', port = USUAL_PORT, readOnly = false, environment = '' } = options
  const given = tokenFromEnvironment()
  const made = given === undefined && !isLoopback(host) ? makeToken() : undefined
  const hosts = allowedHosts(host, options.allowHost ?? [])
  const token = given ?? made
  const gate: Gate = {
    hosts,
    title: 'Busbar',
    sessions: token === undefined ? undefined : new Sessions(token),
  }
  const can = readOnly ? 'read' : 'operate'
  const authorize = (request: Request): Viewer | null => {
    if (gate.sessions === undefined) return { actor: whoAmI(), can }
    return gate.sessions.has(request) ? { actor: 'busbar ui', can } : null
  }
  const handler = createHandler(busbar, { authorize, readOnly, environment, metrics: { fleet: true } })
  const guarded = guardedBy(gate, handler)
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 }, listener(gate, guarded))
  const bound = await listen(server, host, port)
  if (gate.sessions !== undefined) gate.sessions.port = bound
  const close = async () => {
    handler.close()
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const base = `http://${shownHost(host)}:${bound}/`
  return { url: made === undefined ? base : `${base}login?token=${made}`, close }
}

const shownHost = (host: string): string => (host === '0.0.0.0' || host === '::' ? 'localhost' : asHost(host))

interface Gate {
  readonly hosts: ReadonlySet<string>
  readonly title: string
  /** Undefined: no token is needed. */
  readonly sessions: Sessions | undefined
}

const SECURITY = securityHeaders(undefined)

function guardedBy(gate: Gate, handler: Handler): Handler {
  const answer = async (request: Request): Promise<Response> => {
    try {
      const own = gate.sessions === undefined ? undefined : await login(request, gate.sessions, gate.title)
      return own === undefined ? await handler(request) : secured(own)
    } catch (error) {
      const known = problemOf(error)
      if (known === undefined) throw error
      return secured(known)
    }
  }
  return Object.assign(answer, { close: () => handler.close(), streams: () => handler.streams() })
}

function secured(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY)) response.headers.set(name, value)
  return response
}

/** Refuses before anything is looked at: a Host of another name, and a client of another machine where no token is asked for. */
const listener =
  (gate: Gate, handler: Handler): RequestListener =>
  (request, response) => {
    const refusal = refusalOf(gate, request)
    const refusing = Object.assign(() => Promise.resolve(secured(refusal ?? new Response())), {
      close: () => undefined,
      streams: () => 0,
    })
    void serveNode(refusal === undefined ? handler : refusing, request, response, '')
  }

function refusalOf({ hosts, sessions }: Gate, request: IncomingMessage): Response | undefined {
  const name = nameIn(request.headers.host ?? '')
  if (!hosts.has(name)) {
    const advice = 'start it with --allow-host to add a name'
    return problemOf(new Refused('host_not_allowed', `this server is not called by that name; ${advice}`))
  }
  if (sessions !== undefined) return undefined
  // Behind a proxy every client has the address of the proxy.
  const proxied = request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined
  if (!proxied && isLoopback(request.socket.remoteAddress ?? '')) return undefined
  return problemOf(new Refused('unauthorized', 'set BUSBAR_TOKEN to let clients of other machines in'))
}
