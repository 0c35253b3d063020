import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { createHandler, toNode } from '../../src/http/index.js'
import { eventually } from '../harness/eventually.mjs'
import { httpFleet, OPERATOR, serve } from '../harness/http-fleet.js'
import { openApiProblems, validatorOf } from './openapi-tools.mjs'

const run = promisify(execFile)
const FILE = 'src/http/assets/openapi.json'
const document = JSON.parse(readFileSync(FILE, 'utf8')) as object
const here = import.meta.dirname

it('a public validator finds nothing wrong with openapi.json', async () => {
  expect(await openApiProblems(document)).toBeUndefined()
  expect(await openApiProblems({ ...document, paths: { bad: {} } })).toBeDefined()
})

it('every reply is what openapi.json says', async () => {
  const { get, post, join: joinFleet, openai } = await httpFleet()
  const other = await joinFleet({ workerId: 'worker-2' })
  const probe = { kind: 'tcp' as const, host: '127.0.0.1', port: 1, intervalMs: 1_000 }
  await other.provider('probed', { probe, slowMs: 100 })
  const worker = await other.startProbes()
  await eventually(async () => (await other.get('probed')?.snapshot())?.lastProbeAt != null, 'a probe')
  await openai.record('unhealthy')
  const at = '/api/providers/openai'
  const replies: [string, string, unknown][] = [
    ['post', '/api/providers/{id}/trip', (await post(`${at}/trip`, { reason: 'x' })).body],
    ['get', '/api/providers/{id}', (await get(at)).body],
    ['post', '/api/providers/{id}/mark', (await post(`${at}/mark`, { reason: 'x', mark: 'degraded' })).body],
    ['post', '/api/providers/{id}/resume', (await post(`${at}/resume`, { reason: 'x' })).body],
    ['post', '/api/providers/{id}/reset', (await post(`${at}/reset`, { reason: 'x' })).body],
    ['post', '/api/providers/{id}/probe', (await post(`${at}/probe`, { reason: 'x' })).body],
    ['post', '/api/providers/{id}/probe', (await post('/api/providers/probed/probe', { reason: 'x' })).body],
    ['get', '/api/providers', (await get('/api/providers')).body],
    ['get', '/api/providers/{id}/history', (await get(`${at}/history`)).body],
    ['get', '/api/providers/{id}/events', (await get(`${at}/events`)).body],
    ['get', '/api/groups', (await get('/api/groups')).body],
    ['get', '/api/workers', (await get('/api/workers')).body],
    ['get', '/api/schedules', (await get('/api/schedules')).body],
    ['get', '/api/config', (await get('/api/config')).body],
    ['get', '/health', (await get('/health')).body],
  ]
  const problems = replies.flatMap(([method, path, body]) =>
    validatorOf(document, { method, path, status: '200' })(body).map(
      (problem) => `${method} ${path}: ${problem}`,
    ),
  )
  expect(problems).toEqual([])
  const refused = await post(`${at}/trip`, {})
  expect(
    validatorOf(document, { method: 'post', path: '/api/providers/{id}/trip', status: 'default' })(
      refused.body,
    ),
  ).toEqual([])
  await worker.close()
})

it('a client that was generated from it makes calls, and its types refuse what the API refuses', async () => {
  const folder = mkdtempSync(join(here, 'generated-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const bin = join(here, 'node_modules', '.bin')
  await run(join(bin, 'openapi-typescript'), [
    ...[FILE, '-o', join(folder, 'api.d.ts')],
    '--default-non-nullable=false', // a client may leave out what has a default
  ])
  const calls = `
    import createClient from 'openapi-fetch'
    import type { paths } from './api.js'
    const client = createClient<paths>({ baseUrl: process.argv[2] })
    const list = await client.GET('/api/providers')
    const tripped = await client.POST('/api/providers/{id}/trip', { params: { path: { id: 'eu/openai' } }, body: { reason: 'red page' } })
    const gone = await client.GET('/api/providers/{id}', { params: { path: { id: 'nobody' } } })
    console.log(JSON.stringify([list.data?.counts.total, tripped.data?.state, gone.error?.code]))`
  const compile = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    const options = [
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--strict',
      '--skipLibCheck',
      '--lib',
      'es2023,dom',
    ]
    return run(join(bin, 'tsc'), [join(folder, name), ...options])
  }
  await compile('calls.mts', `declare const process: { argv: string[] }\n${calls}`)
  await expect(
    compile(
      'wrong.mts',
      `declare const process: { argv: string[] }\n${calls.replace('reason:', 'because:')}`,
    ),
  ).rejects.toThrow()
  const { createTestBusbar } = await import('../../src/testing.js')
  const busbar = createTestBusbar()
  await busbar.provider('eu/openai')
  const { url } = await serve(toNode(createHandler(busbar, { authorize: () => OPERATOR })))
  const { stdout } = await run(process.execPath, [join(folder, 'calls.mjs'), url])
  expect(JSON.parse(stdout)).toEqual([1, 'open', 'provider_unknown'])
  await busbar.close()
})
