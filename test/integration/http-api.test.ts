import { describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet, OPERATOR, StreamClient } from '../harness/http-fleet.js'
import { createHandler } from '../../src/http/index.js'
import { createTestBusbar } from '../../src/testing.js'

describe('busbar/http reads', () => {
  it('every provider, the worst first, and how many are in each state', async () => {
    const { get, openai } = await httpFleet()
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

  it('one provider with the sentences of explain, its events, its history, and what is unknown as 404', async () => {
    const { get, openai } = await httpFleet()
    await openai.record('unhealthy', { detail: 'HTTP 503' })
    await openai.trip({ reason: 'red page', actor: 'bob' })
    expect(await get('/api/providers/openai')).toMatchObject({
      status: 200,
      body: {
        state: 'open',
        settings: { breaker: { failureThreshold: 2 } },
        explanation: { headline: 'openai is unhealthy: its circuit is open, and calls are refused.' },
      },
    })
    expect(await get('/api/providers/openai/events?count=1')).toMatchObject({
      body: { id: 'openai', events: [{ kind: 'opened', actor: 'bob', reason: 'red page' }] },
    })
    expect(await get('/api/providers/openai/history')).toMatchObject({
      body: { historyTotal: 1, history: [{ status: 'unhealthy', count: 1 }] },
    })
    expect(await get('/api/providers/nobody')).toMatchObject({
      status: 404,
      type: 'application/problem+json',
      body: { code: 'provider_unknown', status: 404 },
    })
    expect(await get('/api/providers/no%20name')).toMatchObject({
      status: 400,
      body: { code: 'argument_invalid' },
    })
    expect(await get('/api/providers/openai/events?count=many')).toMatchObject({ status: 400 })
  })

  it('an id with a slash in it, encoded', async () => {
    const { get, busbar } = await httpFleet()
    await busbar.provider('eu/openai:v1@x')
    expect(await get('/api/providers/eu%2Fopenai%3Av1%40x')).toMatchObject({
      status: 200,
      body: { id: 'eu/openai:v1@x' },
    })
  })

  it('workers, schedules, groups, the configuration and openapi.json', async () => {
    const { get, join } = await httpFleet({ title: 'Calls', environment: 'staging' })
    const other = await join({ workerId: 'worker-2' })
    await other.provider('probed', { probe: { kind: 'tcp', host: '127.0.0.1', port: 1, intervalMs: 60_000 } })
    const workers = ['worker-1', 'worker-2'].map((id) => ({
      id,
      lastSeenAgoMs: expect.any(Number) as number,
      domain: expect.any(String) as string,
    }))
    expect(await get('/api/workers')).toMatchObject({
      body: { workers: expect.arrayContaining(workers) as unknown[] },
    })
    expect(await get('/api/groups')).toMatchObject({ body: { groups: [] } })
    await other.provider('grouped', { group: 'llm' })
    const llm = { name: 'llm', health: 'ok', members: ['grouped'], admissible: ['grouped'] }
    await eventually(async () => expect(await get('/api/groups')).toMatchObject({ body: { groups: [llm] } }))
    expect(await get('/api/schedules')).toMatchObject({
      body: { providers: [{ id: 'probed', planned: false }] },
    })
    expect(await get('/api/config')).toMatchObject({
      body: {
        title: 'Calls',
        environment: 'staging',
        actor: 'alice',
        providers: { openai: { settingsOrigin: { pinned: false } } },
      },
    })
    expect(await get('/api/openapi.json')).toMatchObject({ body: { openapi: '3.1.0' } })
  })

  it('its own health, which no provider changes, and Redis does', async () => {
    const busbar = createTestBusbar()
    const handler = createHandler(busbar, { authorize: () => null })
    const ask = async (path: string) => {
      const answer = await handler(new Request(`http://localhost${path}`))
      const body = await answer.text()
      return { status: answer.status, type: answer.headers.get('content-type'), body }
    }
    const provider = await busbar.provider('openai')
    await provider.trip({ reason: 'down' })
    expect(await ask('/livez')).toMatchObject({ status: 200 })
    expect(await ask('/readyz')).toMatchObject({ status: 200 })
    expect(await ask('/health')).toMatchObject({
      ...{
        status: 200,
        type: 'application/health+json',
        body: expect.stringContaining('"status":"pass"') as string,
      },
    })
    busbar.redis.down()
    await provider.snapshot().catch(() => undefined)
    expect(await ask('/livez')).toMatchObject({ status: 200 })
    expect(await ask('/readyz')).toMatchObject({ status: 503 })
    expect(await ask('/health')).toMatchObject({
      ...{
        status: 200,
        type: 'application/health+json',
        body: expect.stringContaining('"status":"warn"') as string,
      },
    })
    await busbar.close()
    expect(await ask('/readyz')).toMatchObject({ status: 503 })
    expect(await ask('/health')).toMatchObject({ status: 503 })
  })

  it('says 503 with a code while Redis is away, and the page says so too', async () => {
    const busbar = createTestBusbar()
    await busbar.provider('openai')
    const handler = createHandler(busbar, { authorize: 'anyone' })
    busbar.redis.down()
    const list = await handler(new Request('http://localhost/api/providers'))
    expect([list.status, list.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await list.json()).toMatchObject({ code: 'redis_unavailable' })
    const page = await handler(new Request('http://localhost/'))
    expect(page.status).toBe(503)
    expect(await page.text()).toContain(
      'Redis does not answer. The providers are shown here as soon as it does.',
    )
    await busbar.redis.up()
    expect(await (await handler(new Request('http://localhost/'))).text()).toContain(
      '1 provider: 0 unhealthy',
    )
    await busbar.close()
  })

  it('serves the dashboard with what it is about as text, and one sentence for those without scripts', async () => {
    const actor = `</div><script>alert("x'")</script>`
    const { url } = await httpFleet({
      title: '<b>Calls',
      authorize: () => ({ actor, can: ['trip'] }),
    })
    const page = await (await fetch(url)).text()
    expect(page).toContain('&lt;b&gt;Calls')
    expect(page).not.toContain('<script>alert')
    expect(page).toContain('2 providers: 0 unhealthy, 0 degraded, 2 healthy.')
    const [, about = ''] = /data-about="([^"]*)"/.exec(page) ?? []
    const text = about.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<')
    expect(JSON.parse(text.replaceAll('&gt;', '>').replaceAll('&amp;', '&'))).toMatchObject({
      ...{ title: '<b>Calls', actor, actions: ['trip'], readOnly: false },
    })
    const [script, style] = await Promise.all(
      ['/dashboard.js', '/dashboard.css'].map((path) => fetch(url + path)),
    )
    expect(await script?.text()).toContain('EventSource')
    expect(await style?.text()).toContain('--ground')
    // Nothing inline, and nothing from elsewhere.
    expect(page).not.toMatch(/ style=| on\w+=|<style|(?:src|href)="(?:https?:|\/)/)
  })
})

describe('busbar/http writes', () => {
  it('trips, resets, marks and resumes, and keeps actor and reason in the journal', async () => {
    const { post, openai } = await httpFleet()
    const at = '/api/providers/openai'
    expect(await post(`${at}/trip`, { reason: 'red page' })).toMatchObject({
      status: 200,
      body: { state: 'open' },
    })
    const { retryAfterMs } = await openai.snapshot()
    expect(retryAfterMs).toBeGreaterThan(3_500_000) // an hour, unless it is said
    expect(await post(`${at}/trip`, { reason: 'longer', forMs: null })).toMatchObject({
      body: { retryAfterMs: null },
    })
    expect(await post(`${at}/reset`, { reason: 'green page' })).toMatchObject({ body: { state: 'closed' } })
    expect(await post(`${at}/mark`, { mark: 'degraded', reason: 'slow', forMs: 60_000 })).toMatchObject({
      body: { mark: 'degraded', markActor: 'alice', markReason: 'slow' },
    })
    expect(await post(`${at}/resume`, { reason: 'fast again' })).toMatchObject({ body: { mark: null } })
    expect(await post(`${at}/probe`, { reason: 'look' })).toMatchObject({
      status: 200,
      body: { probed: false },
    })
    const events = await openai.events()
    expect(events.map(({ kind, actor }) => `${kind} ${actor}`).slice(1)).toEqual(
      ['opened', 'opened', 'reset', 'marked', 'resumed'].map((kind) => `${kind} alice`),
    )
    expect(events.at(-1)?.reason).toContain('fast again')
  })

  it.each([
    [{}, 'body.reason'],
    [{ reason: '  ' }, 'body.reason'],
    [{ reason: 'x'.repeat(501) }, 'body.reason'],
    [{ reason: 'x', forMs: 0 }, 'body.forMs'],
    [{ reason: 'x', forMs: 'soon' }, 'body.forMs'],
    [{ reason: 'x', actor: 'mallory' }, 'body.actor'],
    [['x'], 'body'],
  ])('refuses %j and names the place', async (body, path) => {
    const busbar = createTestBusbar()
    await busbar.provider('openai')
    const handler = createHandler(busbar, { authorize: () => OPERATOR })
    const answer = await handler(
      new Request('http://localhost/api/providers/openai/trip', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
    expect(answer.status).toBe(400)
    const problem = (await answer.json()) as { code: string; detail: string }
    expect(problem.code).toBe('argument_invalid')
    expect(problem.detail.startsWith(path)).toBe(true)
    await busbar.close()
  })
})

describe('the stream of busbar/http', () => {
  it('sends the whole state, then snapshots and events as they happen, in other processes too', async () => {
    const { url, join } = await httpFleet()
    const client = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => client.of('synced').length === 1, 'the whole state')
    expect(client.messages.map(({ event }) => event)).toEqual([
      ...['reset', 'read', 'snapshot', 'snapshot', 'synced'],
    ])
    const other = await join({ workerId: 'worker-2' })
    await (await other.provider('openai')).trip({ reason: 'red page', actor: 'bob' })
    await eventually(() => client.of('event').some(({ data }) => data['kind'] === 'opened'), 'the event')
    await eventually(() => client.of('snapshot').some(({ data }) => data['state'] === 'open'), 'the snapshot')
    await other.provider('new')
    await eventually(() => client.of('snapshot').some(({ data }) => data['id'] === 'new'), 'a new provider')
    await other.remove('new')
    await eventually(() => client.of('removed').some(({ data }) => data['id'] === 'new'), 'its removal')
    client.close()
  })

  it('goes on after Last-Event-ID, and sends the whole state after one that it does not know', async () => {
    const { url, openai } = await httpFleet()
    const first = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => first.of('synced').length === 1, 'the whole state')
    first.close()
    await openai.trip({ reason: 'while nobody looked' })
    const again = await StreamClient.open(`${url}/api/stream`, { 'last-event-id': first.lastId ?? '' })
    await eventually(
      () => again.of('event').length === 1 && again.of('snapshot').length === 1,
      'what was missed',
    )
    expect(again.of('synced')).toEqual([])
    again.close()
    for (const id of ['0123456789ab-1', 'nonsense', `${first.lastId?.split('-')[0] ?? ''}-999999`]) {
      const unknown = await StreamClient.open(`${url}/api/stream`, { 'last-event-id': id })
      await eventually(() => unknown.of('synced').length === 1, `the whole state after ${id}`)
      expect(unknown.of('snapshot')).toHaveLength(2)
      unknown.close()
    }
  })

  it('tells a client that Redis is lost and back, and sends a heartbeat where nothing happens', async () => {
    const busbar = createTestBusbar()
    await busbar.provider('openai')
    const { url } = await httpFleet.over(busbar, { authorize: 'anyone' }, { heartbeatMs: 50 })
    const client = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => client.of('synced').length === 1 && client.comments > 1, 'state and heartbeats')
    busbar.redis.down()
    await busbar
      .get('openai')
      ?.snapshot()
      .catch(() => undefined)
    await eventually(() => client.of('store').length === 1, 'the loss')
    const late = await StreamClient.open(`${url}/api/stream`)
    await eventually(() => late.of('store').length === 1, 'the loss, to one that came later')
    await busbar.redis.up()
    await eventually(() => client.of('store').length === 2 && late.of('synced').length === 1, 'the return')
    expect(client.of('store').map(({ data }) => data['kind'])).toEqual(['store_lost', 'store_restored'])
    await busbar.close()
    await eventually(() => client.ended && late.ended, 'close() ends the streams')
  })
})

it('lists an id that no id can be, which another program wrote, and hides no other for it', async () => {
  const { get, redis, namespace } = await httpFleet()
  await redis.zadd(`${namespace}:providers`, 1, '<b>')
  const { status, body } = await get('/api/providers')
  const why = expect.stringContaining('expected 1 to 128 characters') as string
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { counts: { total: 3, unreadable: 1 }, unreadable: [{ id: '<b>', why }] },
  })
})
