import { describe, expect, it, onTestFinished } from 'vitest'
import { createHandler, toNode, type HandlerOptions } from '../../src/http/index.js'
import { eventually } from '../harness/eventually.mjs'
import { serve, StreamClient } from '../harness/http-fleet.js'
import { realFleet } from '../harness/real-fleet.js'

const OPERATOR = { actor: 'alice', can: 'operate' } as const

/** Two providers, of which one is open, and the handler behind node:http. */
async function setUp(options: Partial<HandlerOptions> = {}) {
  const { join } = realFleet()
  const busbar = await join({ workerId: 'worker-1' })
  const openai = await busbar.provider('openai', { breaker: { failureThreshold: 2 } })
  await busbar.provider('mistral')
  const handler = createHandler(busbar, { authorize: () => OPERATOR, ...options })
  onTestFinished(() => handler.close())
  const { url } = await serve(toNode(handler))
  const get = async (path: string) => {
    const answer = await fetch(url + path)
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      body: (await answer.json()) as never,
    }
  }
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as never }
  }
  return { busbar, handler, join, openai, url, get, post }
}

describe('busbar/http', () => {
  it('lists every provider, the worst first, and counts them', async () => {
    const { get, openai } = await setUp()
    await openai.trip({ reason: 'red page', actor: 'bob', forMs: 60_000 })
    const { status, body } = await get('/api/providers')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      counts: { total: 2, health: { unhealthy: 1, healthy: 1 }, circuit: { open: 1, closed: 1 } },
      providers: [
        {
          id: 'openai',
          state: 'open',
          health: 'unhealthy',
          why: expect.stringContaining('red page') as string,
        },
        { id: 'mistral', state: 'closed' },
      ],
    })
  })

  it('streams', async () => {
    const { url, openai } = await setUp()
    const client = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => client.of('synced').length === 1, 'synced')
    expect(client.of('snapshot').map(({ data }) => data['id'])).toEqual(['openai', 'mistral'])
    await openai.trip({ reason: 'red page' })
    await eventually(() => client.of('event').length === 1 && client.of('snapshot').length === 3, 'event')
    client.close()
  })
})
