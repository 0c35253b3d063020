import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { startAnswerServer } from '../harness/answer-server.js'

const run = promisify(execFile)

/** What a reader of docs/clients.md and examples/ sees, on what was built. */
let server: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const node = async (args: string[], more: Record<string, string> = {}) => {
  const env = { ...process.env, REDIS_URL: server.url, ...more }
  const { stdout } = await run(process.execPath, args, { env, timeout: 60_000 })
  return stdout.trim().split('\n')
}

describe('examples', () => {
  it('guarded-service.mjs: three processes stop calling an upstream that one found down', async () => {
    expect(await node(['examples/guarded-service.mjs'])).toEqual([
      'upstream is up: fine, fine, fine',
      'upstream is down: failed, failed, failed',
      'all three refuse: circuit_open, circuit_open, circuit_open',
      'requests that reached the upstream meanwhile: 0',
    ])
  })

  it('tenants.mjs: the tenant that is down is left alone, the others are served', async () => {
    expect(await node(['examples/tenants.mjs'])).toEqual([
      'round 1, acme: fine',
      'round 1, Böse & Co: connection refused',
      'round 1, umbrella: fine',
      'round 2, acme: fine',
      'round 2, Böse & Co: connection refused',
      'round 2, umbrella: fine',
      'round 3, acme: fine',
      'round 3, Böse & Co: circuit_open',
      'round 3, umbrella: fine',
      'its id is tenant-api/B@c3@b6se@20@26@20Co',
    ])
  })
})

it('docs/clients.md: the sample of fetch runs as it stands', async () => {
  const [, sample = ''] = /## fetch\n\n```js\n([^]*?)```/.exec(readFileSync('docs/clients.md', 'utf8')) ?? []
  const upstream = await startAnswerServer()
  const said = await node(['--input-type=module', '-e', sample], { UPSTREAM_URL: `${upstream.url}/404` })
  expect(said).toEqual(['404 404'])
  await upstream.stop()
})
