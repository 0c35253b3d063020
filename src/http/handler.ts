import { checkArgument } from '../config/check.js'
import { handlerSchema, type Action } from '../config/http.js'
import type { Busbar } from '../index.js'
import { act } from './api/act.js'
import * as read from './api/read.js'
import { asset } from './assets.js'
import type { Exchange, Site } from './exchange.js'
import { FleetState } from './fleet-state.js'
import { assertSameSite, securityHeaders } from './guard.js'
import { health, livez, readyz } from './health.js'
import { MatrixState } from './matrix-state.js'
import { MetricsText, type MetricsOption } from './metrics.js'
import { mountOf } from './mount.js'
import { dashboardPage } from './page/dashboard-page.js'
import { setTimeLimit } from './time-limit.js'
import { internalProblem, problemOf, Refused } from './problem.js'
import { viewerOf, type Authorize, type Viewer } from './rights.js'
import { find, type Found, type RouteName } from './routes.js'
import { STREAM_TIMES, StreamHub, type StreamTimes } from './stream/stream-hub.js'

export interface HandlerOptions {
  /**
   * Says who asks, and what they may do; null: 401. A promise will do. `'anyone'` lets every request do everything, on
   * purpose: a request carries no address of its client, so that nothing here can tell a local one from any other.
   */
  readonly authorize: Authorize | 'anyone'
  /** Writes are refused with 405. Default: false. */
  readonly readOnly?: boolean
  /** Whether a viewer may know of a provider; false: 404, and in no list and no count. Default: all may. */
  readonly visible?: (id: string, who: Viewer) => boolean
  /** The heading of the page; at most 80 characters, default `Busbar`. */
  readonly title?: string
  /** Shown beside it, such as `production`; at most 40 characters, default none. */
  readonly environment?: string
  /** Pages that may show this one in a frame, as sources of CSP; default: none. */
  readonly frameAncestors?: readonly string[]
  /**
   * What `GET metrics` answers, to those whom `authorize` lets read. Options of `register` in `busbar/prometheus`: default `{}`, what
   * this process follows; `{ fleet: true }`, all providers, read from Redis at most once per 5 s. A `Registry` of prom-client:
   * its text. `false`: 404. With `visible` it is 403, because metrics name every provider.
   */
  readonly metrics?: MetricsOption
}

/** Answers web-standard requests. It never rejects. */
export interface Handler {
  (request: Request): Promise<Response>
  /** Ends its streams. So does `busbar.close()`. Call it before a server is closed that waits for its connections. */
  close(): void
  /** Streams that are open now. */
  streams(): number
}

/**
 * The API and the page of a fleet, for any server: `toNode` makes of it what Express, Nest, Connect and node:http take.
 * @throws ArgumentError naming the option
 */
export const createHandler = (busbar: Busbar, options: HandlerOptions): Handler =>
  createHandlerWith(busbar, options, STREAM_TIMES)

/** The same with other times, for tests. */
export function createHandlerWith(busbar: Busbar, options: HandlerOptions, times: StreamTimes): Handler {
  const { title, environment, readOnly, frameAncestors } = checkArgument(
    handlerSchema,
    options,
    'createHandler',
  )
  const { authorize, visible, metrics = {} } = options
  const fleet = new FleetState(busbar)
  const site: Site = {
    ...{ busbar, fleet, title, environment, readOnly, filtered: visible !== undefined },
    matrix: new MatrixState(busbar),
    hub: new StreamHub(busbar, fleet, times),
    metrics: new MetricsText(busbar, metrics),
    sees: (id, viewer) => visible === undefined || visible(id, viewer),
  }
  const close = () => {
    site.hub.close()
    site.metrics.close()
    fleet.close()
  }
  busbar.closing.addEventListener('abort', close, { once: true })
  const security = Object.entries(securityHeaders(frameAncestors))
  const handle = async (request: Request) => {
    const response = await answer(request, site, authorize).catch((error: unknown) => problemFor(error, site))
    for (const [name, value] of security) if (!response.headers.has(name)) response.headers.set(name, value)
    setTimeLimit(response, times.stuckMs)
    return response
  }
  return Object.assign(handle, { close, streams: () => site.hub.count })
}

function problemFor(error: unknown, { busbar }: Site): Response {
  const known = problemOf(error)
  if (known !== undefined) return known
  busbar.logger.error({ err: error }, 'a request over HTTP failed')
  return internalProblem()
}

async function answer(request: Request, site: Site, authorize: Authorize | 'anyone'): Promise<Response> {
  const url = new URL(request.url)
  const found = find(request.method, url.pathname, mountOf(request))
  if (found.kind !== 'route') return elsewhere(found, url, request.method)
  const { name, route, id } = found
  if (route.method === 'POST') assertSameSite(request)
  const open = route.open === true ? OPEN[name] : undefined
  if (open !== undefined) return withoutBody(request, open(site.busbar))
  const viewer = await ofThisProcess(() => viewerOf(request, authorize))
  const response = await RUN[name]({ site, request, url, viewer, id: decode(id) })
  return withoutBody(request, response)
}

/** The answer to HEAD has the headers alone; a stream that nobody reads must not stay open. */
async function withoutBody({ method }: Request, response: Response): Promise<Response> {
  if (method !== 'HEAD') return response
  await response.body?.cancel()
  return new Response(null, response)
}

/** What the program itself threw is its fault, and no answer to the client, also where it is an error of Busbar's. */
async function ofThisProcess<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Error('authorize failed', { cause: error })
  }
}

function elsewhere(found: Exclude<Found, { kind: 'route' }>, url: URL, method: string): Response {
  if (found.kind === 'method') {
    const allow = found.allow.join(', ')
    throw new Refused('method_not_allowed', `this address takes ${allow}`, { allow })
  }
  const reading = method === 'GET' || method === 'HEAD'
  if (found.kind === 'nothing' || !reading) throw new Refused('not_found', 'there is nothing at this address')
  // Relative, so that it is right behind a proxy that strips a part of the path.
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  return new Response(null, { status: 302, headers: { location: `./${last}/${url.search}` } })
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id)
  } catch {
    throw new Refused('not_found', 'the id in this address is not encoded well')
  }
}

/** A `visible` that throws hides the provider: a stream has no other answer. */
const seer =
  ({ busbar, sees }: Site, viewer: Viewer) =>
  (id: string): boolean => {
    try {
      return sees(id, viewer)
    } catch (error) {
      busbar.logger.error({ err: error, provider: id }, 'visible failed: the provider is not shown')
      return false
    }
  }

/** Answered without `authorize`: nothing of it is about a provider. */
const OPEN: Partial<Record<RouteName, (busbar: Busbar) => Response>> = {
  ...{ health, livez, readyz },
  ...{
    script: () => asset('dashboard.js'),
    style: () => asset('dashboard.css'),
    icon: () => asset('icon.svg'),
  },
}

const RUN: Readonly<Record<RouteName, (exchange: Exchange) => Response | Promise<Response>>> = {
  ...read,
  ...(act satisfies Record<Action, unknown>),
  stream: ({ site, request, viewer }) => {
    const body = site.hub.open(seer(site, viewer), request.headers.get('last-event-id'))
    return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } })
  },
  metrics: ({ site }) => {
    if (site.filtered)
      throw new Refused('forbidden', 'metrics name every provider, and this handler hides some')
    return site.metrics.answer()
  },
  openapi: () => asset('openapi.json'),
  document: () => asset('openapi.json'),
  ...{ health: ({ site }) => health(site.busbar), livez, readyz: ({ site }) => readyz(site.busbar) },
  page: dashboardPage,
  script: () => asset('dashboard.js'),
  style: () => asset('dashboard.css'),
  icon: () => asset('icon.svg'),
}
