import type { Action } from '../config/http.js'

/** One address of the handler, below the place where it is mounted. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly summary: string
  /** Answered without `authorize`: it says nothing of providers. */
  readonly open?: boolean
}

/** Every address. The router, openapi.json and docs/http.md come from this table. */
export const ROUTES = {
  providers: get('/api/providers', 'every provider, the worst first, and how many are in each state'),
  provider: get(
    '/api/providers/:id',
    'one provider, read from Redis just now, with the sentences of explain',
  ),
  history: get('/api/providers/:id/history', 'its newest outcomes, in runs of equal ones; `?count=`'),
  events: get(
    '/api/providers/:id/events',
    'its newest transitions, marks and changes of settings; `?count=`',
  ),
  groups: get('/api/groups', 'groups of providers, their health, and which members admit calls'),
  workers: get('/api/workers', 'processes that sent a heartbeat in the last ten minutes'),
  matrix: get(
    '/api/matrix',
    'calls and failures of each worker at each provider, what stands out, and in words; counted only while this is asked for',
  ),
  schedules: get('/api/schedules', 'planned probes and their queues, the longest overdue first'),
  config: get('/api/config', 'this handler, the rights of this request, and the settings of the providers'),
  stream: get('/api/stream', 'snapshots and events as they happen (Server-Sent Events)'),
  trip: post('trip', 'opens the circuit'),
  reset: post('reset', 'closes the circuit; all counters 0'),
  mark: post('mark', 'sets its status by hand'),
  resume: post('resume', 'clears the mark'),
  probe: post('probe', 'one health check now'),
  openapi: get('/api/openapi.json', 'this table for a program (OpenAPI 3.1)'),
  document: get('/openapi.json', 'the same'),
  health: open('/health', 'whether Busbar works (application/health+json)'),
  livez: open('/livez', '200 while this process answers'),
  readyz: open('/readyz', '200 while Redis answers Busbar, else 503'),
  metrics: get('/metrics', 'counts and states for Prometheus (text); docs/metrics.md'),
  page: get('/', 'the dashboard'),
  script: open('/dashboard.js', 'its script'),
  style: open('/dashboard.css', 'its style'),
  icon: open('/icon.svg', 'its icon'),
} as const satisfies Record<string, Route>
export type RouteName = keyof typeof ROUTES

function get(path: string, summary: string) {
  return { method: 'GET', path, summary } as const
}

function open(path: string, summary: string) {
  return { method: 'GET', path, summary, open: true } as const
}

function post(action: Action, summary: string) {
  return { method: 'POST', path: `/api/providers/:id/${action}`, summary } as const
}

interface Matcher {
  readonly name: RouteName
  readonly route: Route
  readonly exact: RegExp
  readonly ending: RegExp
}

const MATCHERS: readonly Matcher[] = Object.entries<Route>(ROUTES).map(([name, route]) => {
  const pattern = route.path.replace(/[.]/g, '\\$&').replace(':id', '([^/]+)')
  return {
    name: name as RouteName, // a key of the table
    route,
    exact: new RegExp(`^${pattern}$`),
    ending: new RegExp(`${route.path.startsWith('/api/') ? '' : '^(?!.*/api/).*'}${pattern}$`),
  }
})

/** What is at a path. `redirect`: the handler's own address without its slash, below which relative addresses would fail. */
export type Found =
  | { readonly kind: 'route'; readonly name: RouteName; readonly route: Route; readonly id: string }
  | { readonly kind: 'redirect' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'method'; readonly allow: readonly string[] }

export function find(method: string, pathname: string, mount: string | undefined): Found {
  const path = mount === undefined ? pathname : ownPath(pathname, mount)
  if (path === undefined) return { kind: 'nothing' }
  if (path === '') return { kind: 'redirect' }
  const asked = method === 'HEAD' ? 'GET' : method
  const there = MATCHERS.flatMap(({ name, route, exact, ending }) => {
    const match = (mount === undefined ? ending : exact).exec(path)
    return match === null ? [] : [{ kind: 'route' as const, name, route, id: match[1] ?? '' }]
  })
  const found = there.find(({ route }) => route.method === asked)
  if (found !== undefined) return found
  if (there.length > 0) return { kind: 'method', allow: [...new Set(there.map(({ route }) => route.method))] }
  return mount === undefined && mayBeMount(path) ? { kind: 'redirect' } : { kind: 'nothing' }
}

function ownPath(pathname: string, mount: string): string | undefined {
  const path = pathname.slice(mount.length)
  return pathname.startsWith(mount) && (path === '' || path.startsWith('/')) ? path : undefined
}

/** Whether a path may be where the handler is mounted: no file, and not below the API. */
const mayBeMount = (path: string): boolean => !/\/api(\/|$)|\.[^/]*$/.test(path)
