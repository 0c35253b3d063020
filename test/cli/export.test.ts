import { describe, expect, it } from 'vitest'
import type { ProbeInput, SettingsInput } from '../../src/index.js'
import { cliFleet, expectOneLine, type CliFleet } from '../harness/cli-fleet.js'

/** One of each kind, with what only that kind has. */
const PROBES: Readonly<Record<string, ProbeInput>> = {
  http: {
    kind: 'http',
    url: 'https://a.test/health?key=${env:KEY}',
    method: 'POST',
    headers: { authorization: 'Bearer ${env:KEY}', accept: '${env:A} and ${env:B}' },
    expectStatus: [200, '3xx'],
    bodyContains: 'yes: no # "\'',
    json: [
      { path: '$.status', oneOf: ['ok', 1, null, true] },
      { path: 'a[0].b', above: 0.5 },
    ],
    degradedMs: 500,
  },
  tcp: { kind: 'tcp', host: '::1', port: 443, tls: {} },
  redis: { kind: 'redis', url: 'redis://a:1', passwordEnv: 'BUSBAR_PROBE_PW', role: 'replica' },
  process: { kind: 'process', name: 'agent' },
  function: { kind: 'function', name: 'check' },
  heartbeat: { kind: 'heartbeat', ttlMs: 5_000, stallMs: 60_000 },
}

/** Ids that YAML takes for something else where they are not quoted. */
const ODD_IDS = [
  '1.50',
  '0x10',
  '1e3',
  'null',
  'true',
  'yes',
  '-',
  '@a',
  'a:b',
  '__proto__',
  'constructor',
  '.',
]

/** What is exported goes back; nothing changes by it. */
async function comesBack(fleet: CliFleet, args: readonly string[] = []): Promise<string> {
  const { code, stdout } = await fleet.run(['export', ...args])
  expect(code).toBe(0)
  const { value } = await fleet.json(['apply', '-f', '-', '--dry-run'], { input: stdout })
  const plans = value['apply'] as { id: string; changes: unknown[] }[] // the test fails on anything else
  for (const plan of plans) expect(plan).toMatchObject({ changes: [] })
  expect(plans.map(({ id }) => id).sort()).toEqual((await fleet.busbar.providers()).sort())
  return stdout
}

describe('busbar export', { timeout: 120_000 }, () => {
  it('writes what busbar apply takes back without a change: every kind of probe, every setting', async () => {
    const fleet = await cliFleet()
    for (const [id, probe] of Object.entries(PROBES)) await fleet.busbar.provider(id, { probe })
    const breaker = {
      cooldownJitter: 0.25,
      enforce: false,
      maxCooldownMs: 86_400_000,
      recovery: 'traffic',
    } as const
    await fleet.busbar.apply('rare', { breaker, history: { maxRecords: 7 }, slowMs: 3 }, { actor: 'alice' })
    const yaml = await comesBack(fleet)
    expect(yaml).toContain('# applied by alice\n  rare:')
    expect(yaml).toContain('# set by worker-1\n  http:')
    expect(yaml).toContain('authorization: Bearer ${env:KEY}')
  })

  it('of ids that look like numbers or words of YAML', async () => {
    const fleet = await cliFleet()
    for (const id of ODD_IDS) await fleet.busbar.provider(id, { slowMs: 5 })
    await comesBack(fleet)
    await comesBack(fleet, ['--json'])
  })

  it('of those named, or matched by a pattern, alone', async () => {
    const fleet = await cliFleet()
    const none = await fleet.run(['export'])
    expect([none.code, none.stdout]).toEqual([3, ''])
    for (const id of ['openai', 'openai-eu', 'mistral', 'local']) await fleet.busbar.provider(id, {})
    const { value } = await fleet.json(['export', 'open*', 'local'])
    expect(Object.keys(value['providers'] as object)).toEqual(['openai', 'openai-eu', 'local'])
    for (const id of ['apj', 'apj*']) {
      const result = await fleet.run(['export', 'local', id])
      expect([result.code, result.stdout]).toEqual([3, ''])
      expectOneLine(result, /no provider (apj|in namespace \S+ matches apj\*)/)
    }
  })

  it('hides headers, body and credentials of a proxy, keeps them when they come back, and writes them when asked', async () => {
    const fleet = await cliFleet()
    const headers = { 'x-key': 's3cret-1', mixed: '${env:A}s3cret-2', accept: '${env:B}' }
    const secret = {
      method: 'POST',
      body: '{"key":"s3cret-3"}',
      proxy: 'http://me:s3cret-4@proxy.test:3128',
    } as const
    const settings: SettingsInput = { probe: { kind: 'http', url: 'http://a.test/', headers, ...secret } }
    const api = await fleet.busbar.provider('api', settings)
    const hidden = await fleet.run(['export'])
    expect(hidden.stdout).not.toContain('s3cret')
    expect(hidden.stdout).toContain('accept: ${env:B}')
    expect(hidden.stdout).toContain('proxy: http://***@proxy.test:3128')
    expectOneLine(
      hidden,
      'busbar: secrets of the probes of 1 provider are written as ***; --secrets writes them in clear',
    )
    await comesBack(fleet)

    const done = await fleet.run(['apply', '-f', '-', '--yes'], {
      input: hidden.stdout.replace('30000', '31s'),
    })
    expect(done.stdout).toContain('breaker.cooldownMs  30000 -> 31000')
    await api.snapshot()
    expect(api.settings.probe).toMatchObject({ headers, ...secret })

    const clear = await fleet.run(['export', '--secrets'])
    expect([clear.stderr, clear.stdout]).toEqual(['', expect.stringContaining('s3cret-1')])
  })

  it('is refused by apply where *** stands for a value that is not there', async () => {
    const fleet = await cliFleet()
    const headers = { 'x-key': 's3cret' }
    await fleet.busbar.provider('api', { probe: { kind: 'http', url: 'http://a.test/', headers } })
    const { stdout } = await fleet.run(['export'])
    await fleet.busbar.remove('api')
    const result = await fleet.run(['apply', '-f', '-', '--yes'], { input: stdout })
    expect([result.code, result.stdout]).toEqual([64, ''])
    expectOneLine(result, /^busbar: standard input: providers\.api\.probe\.headers\.x-key: \*\*\* stands for/)
    expect(await fleet.busbar.providers()).toEqual([])
  })
})

describe('busbar remove', { timeout: 120_000 }, () => {
  it('asks for a yes, then forgets the provider in the whole fleet', async () => {
    const fleet = await cliFleet()
    const api = await fleet.busbar.provider('api', {})
    await api.recordSuccess()
    await fleet.busbar.flush()
    const removed: unknown[] = []
    fleet.busbar.on('removed', (event) => removed.push(event))
    const first = 'api: ● healthy, 1 records, settings by worker-1\n'
    const dry = await fleet.run(['remove', 'api', '--dry-run'])
    expect([dry.code, dry.stdout]).toEqual([0, first])
    const unasked = await fleet.run(['remove', 'api'])
    expect(unasked.code).toBe(64)
    expectOneLine(unasked, /no terminal to ask at: .*--yes/)
    expect(await fleet.busbar.providers()).toEqual(['api'])

    const done = await fleet.run(['remove', 'api', '--yes', '--reason', 'replaced', '--actor', 'alice'])
    expect([done.code, done.stdout]).toEqual([0, `${first}removed api\n`])
    expect(await fleet.busbar.providers()).toEqual([])
    await expect
      .poll(() => removed)
      .toEqual([expect.objectContaining({ actor: 'alice', reason: 'replaced' })])
    const again = await fleet.run(['remove', 'api', '--yes'])
    expect(again.code).toBe(3)
  })

  it('tells a program what it did', async () => {
    const fleet = await cliFleet()
    await fleet.busbar.provider('api', {})
    const plan = { id: 'api', health: 'healthy', historyTotal: 0 }
    expect(await fleet.json(['remove', 'api', '--dry-run'])).toEqual({
      code: 0,
      value: { remove: [plan], done: [] },
    })
    expect(await fleet.json(['remove', 'api', '--yes'])).toEqual({
      code: 0,
      value: { remove: [plan], done: ['api'] },
    })
  })
})
