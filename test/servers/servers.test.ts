import { describe, expect, it, onTestFinished } from 'vitest'
import { busbarFastify } from '../../src/http/fastify.js'
import { createHandler, toNode } from '../../src/http/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { eventually } from '../harness/eventually.mjs'
import { OPERATOR, StreamClient } from '../harness/http-fleet.js'
import { SERVERS, startProxy, type Mounted } from './servers.mjs'

type Start = (mounted: Mounted, mount: string) => Promise<{ url: string; close(): Promise<unknown> }>

async function setUp(start: Start, mount: string) {
  const busbar = createTestBusbar()
  const openai = await busbar.provider('eu/openai')
  const handler = createHandler(busbar, { authorize: () => OPERATOR })
  const server = await start({ handler, node: toNode(handler), plugin: busbarFastify }, mount)
  onTestFinished(async () => {
    handler.close()
    await server.close()
    await busbar.close()
  })
  return { server, openai, base: server.url + (mount === '/' ? '' : mount) }
}

/** Page, API, writes and stream below `base`, by the addresses that the page has. */
async function works(base: string, openai: { trip(options: object): Promise<void> }) {
  const page = await fetch(`${base}/`)
  expect(page.status).toBe(200)
  const text = await page.text()
  const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address)
  expect(addresses).toEqual(['icon.svg', 'dashboard.css', 'dashboard.js', 'api/providers'])
  const types: (string | null)[] = []
  for (const address of addresses)
    types.push((await fetch(new URL(address, page.url))).headers.get('content-type'))
  expect(types).toEqual([
    ...['image/svg+xml', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8', 'application/json'],
  ])
  expect(await (await fetch(`${base}/api/providers`)).json()).toMatchObject({ counts: { total: 1 } })
  expect(await (await fetch(`${base}/api/providers/eu%2Fopenai`)).json()).toMatchObject({ id: 'eu/openai' })
  expect((await fetch(`${base}/api/nothing`)).status).toBe(404)
  const client = await StreamClient.open(`${base}/api/stream`)
  await eventually(() => client.of('synced').length === 1, 'the state')
  const write = (reason: string, origin: string) =>
    fetch(`${base}/api/providers/eu%2Fopenai/trip`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ reason }),
    })
  expect((await write('x', 'https://evil.example')).status).toBe(403)
  expect((await write('', new URL(base).origin)).status).toBe(400)
  expect(await (await write('red page', new URL(base).origin)).json()).toMatchObject({ state: 'open' })
  await eventually(() => client.of('event').length === 1 && client.of('snapshot').length === 2, 'the change')
  await openai.trip({ reason: 'again' })
  await eventually(() => client.of('event').length === 2, 'the next change')
  client.close()
}

describe.each(Object.entries(SERVERS))('%s', (_name, start) => {
  it.each(['/', '/a/b'])('serves at %s', async (mount) => {
    const { base, openai, server } = await setUp(start, mount)
    await works(base, openai)
    if (mount === '/') return
    const bare = await fetch(`${base}?x=1`, { redirect: 'manual' })
    expect(bare.status).toBe(302)
    expect(new URL(bare.headers.get('location') ?? '', `${base}?x=1`).href).toBe(`${base}/?x=1`)
    expect((await fetch(`${server.url}/elsewhere/`)).status).toBe(404)
  })

  it('serves behind a proxy that strips a prefix', async () => {
    const { base, openai } = await setUp(start, '/inside')
    const proxy = await startProxy(base, '/outside')
    onTestFinished(() => void proxy.close())
    await works(`${proxy.url}/outside/inside`, openai)
  })
})
