import type { Busbar } from '../index.js'

/**
 * About Busbar, never about a provider: a provider that is down is what Busbar is there for, and no reason to end a process.
 * While Redis is away, processes decide without it, so `/health` warns and does not fail.
 */
export function health(busbar: Busbar): Response {
  const closed = busbar.closing.aborted
  const away = busbar.degradedSince
  const status = closed ? 'fail' : away === undefined ? 'pass' : 'warn'
  const output = away === undefined ? {} : { output: 'Redis does not answer: calls are decided without it' }
  const time = new Date().toISOString()
  const check = { componentType: 'datastore', status: away === undefined ? 'pass' : 'fail', time, ...output }
  const body = { status, description: 'Busbar', checks: { 'redis:connection': [check] } }
  const headers = { 'content-type': 'application/health+json' }
  return new Response(JSON.stringify(body), { status: closed ? 503 : 200, headers })
}

export const livez = (): Response => text(200, 'alive\n')

export function readyz(busbar: Busbar): Response {
  if (busbar.closing.aborted) return text(503, 'closed\n')
  return busbar.degradedSince === undefined ? text(200, 'ready\n') : text(503, 'Redis does not answer\n')
}

const text = (status: number, body: string): Response =>
  new Response(body, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } })
