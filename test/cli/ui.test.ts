import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { BIN, startCommand, type Started } from '../harness/cli.js'
import { cliFleet, interrupt } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { raw, StreamClient } from '../harness/http-fleet.js'
import { testNamespace } from '../harness/redis.js'

const TOKEN = 'a-token-of-more-than-16'

/** `busbar ui` on a free port. */
async function startUi(
  args: readonly string[],
  env: Record<string, string> = {},
  namespace = testNamespace(),
) {
  const command = [BIN, 'ui', '--no-open', '--port', '0', '--namespace', namespace, ...args]
  const job = startCommand(command, { env })
  onTestFinished(() => end(job))
  const [, url = ''] = await job.said(/^page (http:\S+)$/m)
  return { job, url, port: Number(new URL(url).port) }
}

async function end(job: Started): Promise<void> {
  try {
    process.kill(job.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
  await job.exit
}

test('busbar ui serves page and API, lets an operator act, and ends on Ctrl-C', async () => {
  const fleet = await cliFleet()
  const openai = await fleet.busbar.provider('openai')
  const { job, url, port } = await startUi(
    ['--redis', fleet.url, '--environment', 'staging'],
    {},
    fleet.namespace,
  )
  const page = await (await fetch(url)).text()
  expect(page).toContain('1 provider: 0 unhealthy, 0 degraded, 1 healthy.')
  expect(page).toContain('staging')
  const client = await StreamClient.open(`${url}api/stream`)
  await eventually(() => client.of('synced').length === 1, 'the state')
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ reason: 'red page' })
  const tripped = await fetch(`${url}api/providers/openai/trip`, { method: 'POST', headers, body })
  expect(await tripped.json()).toMatchObject({ state: 'open' })
  await eventually(() => client.of('snapshot').length === 2, 'the change')
  expect((await openai.events()).at(-1)).toMatchObject({
    kind: 'opened',
    actor: expect.stringContaining('@') as string,
  })
  await eventually(() => job.output().includes('trip openai by'), 'the line about it')
  // A page whose name was made to resolve to this machine.
  expect(
    (await raw(port, { path: '/api/providers', headers: { host: `evil.example:${port}` } })).status,
  ).toBe(421)
  expect((await raw(port, { path: '/', headers: { host: `localhost:${port}` } })).status).toBe(200)
  // Behind a proxy every client looks local.
  expect((await raw(port, { path: '/', headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(401)
  expect((await raw(port, { path: '/nothing' })).status).toBe(404)
  expect(await interrupt(job)).toBe(0)
})

test('with BUSBAR_TOKEN every request needs it, by cookie or header', async () => {
  const fleet = await cliFleet()
  await fleet.busbar.provider('openai')
  const { url, port } = await startUi(
    ['--redis', fleet.url, '--read-only'],
    { BUSBAR_TOKEN: TOKEN },
    fleet.namespace,
  )
  expect(url).not.toContain(TOKEN)
  const ask = (path: string, headers: Record<string, string> = {}) => raw(port, { path, headers })
  expect(await ask('/')).toMatchObject({ status: 303, headers: { location: './login' } })
  expect(await ask('/api/providers')).toMatchObject({ status: 401 })
  expect(await ask('/livez')).toMatchObject({ status: 200 })
  for (const wrong of ['', 'x', `${TOKEN}x`, TOKEN.slice(0, -1)]) {
    expect((await ask('/api/providers', { authorization: `Bearer ${wrong}` })).status).toBe(401)
    expect((await ask(`/login?token=${wrong}`)).status).toBe(401)
  }
  expect((await ask('/api/providers', { authorization: `Bearer ${TOKEN}` })).status).toBe(200)
  expect((await ask('/metrics')).status).toBe(401)
  // Of the whole fleet: this process has no handle of it.
  const metrics = await ask('/metrics', { authorization: `Bearer ${TOKEN}` })
  expect(metrics.text).toContain('busbar_circuit_state{provider="openai",state="closed"} 1')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const enter = (headers: Record<string, string>) =>
    raw(port, { method: 'POST', path: '/login', headers: { ...form, ...headers }, body: `token=${TOKEN}` })
  expect((await enter({ origin: 'https://evil.example' })).status).toBe(403)
  const entered = await enter({ origin: `http://127.0.0.1:${port}` })
  expect(entered).toMatchObject({
    status: 303,
    headers: { location: './', 'content-security-policy': expect.any(String) as string },
  })
  const [cookie = ''] = entered.headers['set-cookie'] ?? []
  expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/)
  expect(cookie).not.toContain(TOKEN)
  const session = { cookie: cookie.split(';')[0] ?? '' }
  expect((await ask('/', session)).text).toContain('1 provider')
  expect((await ask('/api/providers', { cookie: `${session.cookie}x` })).status).toBe(401)
  const write = {
    method: 'POST',
    path: '/api/providers/openai/trip',
    headers: { ...session, 'content-type': 'application/json' },
  }
  expect((await raw(port, { ...write, body: '{"reason":"x"}' })).status).toBe(405)
})

test('on another address a token is needed, and made where there is none; a short one is refused', async () => {
  const fleet = await cliFleet()
  const { url, port, job } = await startUi([
    '--redis',
    fleet.url,
    '--host',
    '0.0.0.0',
    '--allow-host',
    'busbar.internal',
  ])
  expect(url).toMatch(/\/login\?token=[\w-]{32}$/)
  expect((await raw(port, { path: '/api/providers', headers: { host: 'busbar.internal' } })).status).toBe(401)
  expect((await raw(port, { path: '/api/providers', headers: { host: 'other.internal' } })).status).toBe(421)
  const entered = await raw(port, { path: new URL(url).pathname + new URL(url).search })
  expect(entered).toMatchObject({ status: 303, headers: { location: './' } })
  expect(job.output().split(url.split('token=')[1] ?? '-')).toHaveLength(2) // printed once
  const short = await fleet.run(['ui', '--port', '0'], { env: { BUSBAR_TOKEN: 'short-SECRET' } })
  expect(short).toMatchObject({ code: 64, stderr: expect.stringContaining('16 or more') as string })
  expect(short.stderr).not.toContain('SECRET')
})

test('a taken port makes way for the next', async () => {
  const fleet = await cliFleet()
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as { port: number }
  const ui = await startUi(['--redis', fleet.url, '--port', String(port)])
  expect(ui.port).toBeGreaterThan(port)
})

test('while Redis is away the page says so, and shows the fleet when it answers', async () => {
  const server = await startRedis()
  const port = Number(new URL(server.url).port)
  await server.stop()
  const { url } = await startUi(['--redis', server.url], {}, 'busbar')
  const away = await fetch(url)
  expect(away.status).toBe(503)
  expect(await away.text()).toContain('Redis does not answer.')
  const client = await StreamClient.open(`${url}api/stream`)
  await eventually(() => client.of('store').length === 1, 'it says that Redis is away')
  const back = await startRedis({ port })
  onTestFinished(() => back.stop())
  await eventually(async () => (await fetch(url)).status === 200, 'the page of the fleet')
  await eventually(() => client.of('synced').length === 1, 'the state on the stream')
  client.close()
})
