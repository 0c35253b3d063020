import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { cliFleet, expectOneLine } from '../harness/cli-fleet.js'
import { redisUrl } from '../harness/redis.js'

const FLEET = `
defaults: { breaker: { failureThreshold: 4 } }
providers:
  api: { breaker: { cooldownMs: 5000 } }
  new: { slowMs: 700 }
`

describe('busbar apply', { timeout: 120_000 }, () => {
  it('shows what would change, and changes it only when told to', async () => {
    const fleet = await cliFleet()
    const provider = await fleet.busbar.provider('api', { breaker: { cooldownMs: 60_000 } })
    fleet.file(FLEET)
    const diff = [
      'api: replaces the settings that worker-1 set',
      '  breaker.failureThreshold  3 -> 4',
      '  breaker.cooldownMs        60000 -> 5000',
      'new: new, with the defaults but for',
      '  breaker.failureThreshold  3 -> 4',
      '  slowMs                    - -> 700',
      '',
    ].join('\n')
    const dry = await fleet.run(['apply', '-f', 'fleet.yaml', '--dry-run'])
    const unasked = await fleet.run(['apply', '-f', 'fleet.yaml'])
    expect([dry, unasked].map(({ code, stdout }) => ({ code, stdout }))).toEqual([
      { code: 0, stdout: diff },
      { code: 64, stdout: diff },
    ])
    expectOneLine(unasked, 'busbar: no terminal to ask at: give --yes to do it, or --dry-run to look')
    expect(await fleet.busbar.providers()).toEqual(['api'])

    const done = await fleet.run([
      'apply',
      '-f',
      'fleet.yaml',
      '--yes',
      '--actor',
      'alice',
      '--reason',
      'busy',
    ])
    expect(done.code).toBe(0)
    expect(done.stdout).toBe(
      `${diff}applied api\napplied new\nThese outrank code until: busbar apply --release\n`,
    )
    await provider.snapshot()
    expect(provider.settings.breaker).toMatchObject({ failureThreshold: 4, cooldownMs: 5_000 })
    expect(provider.settingsOrigin).toMatchObject({ setBy: 'alice', pinned: true })
    expect((await provider.events()).at(-1)).toMatchObject({ actor: 'alice', reason: 'busy' })
  })

  it('outranks code until it is released; then the next registration wins', async () => {
    const fleet = await cliFleet()
    const { busbar } = fleet
    const provider = await busbar.provider('api', { slowMs: 100 })
    await busbar.provider('other', {})
    await fleet.run(['apply', '-f', '-', '--yes', '--actor', 'alice'], {
      input: 'providers: { api: { slowMs: 200 } }',
    })
    await busbar.provider('api', { slowMs: 300 })
    expect(provider.settings.slowMs).toBe(200)
    expect((await fleet.run(['status', 'api'])).stdout).toMatch(/set by +alice at .*apply --release api/)
    expect((await fleet.run(['explain', 'api'])).stdout).toMatch(/settings +Applied by alice at/)

    const dry = await fleet.run(['apply', '--release', '--dry-run'])
    expect(dry.stdout).toBe('api: release the settings that alice applied\n')
    expect(provider.settingsOrigin.pinned).toBe(true)
    const released = await fleet.run(['apply', '--release', 'api', 'other', '--yes'])
    expect(released.stdout).toBe(
      'api: release the settings that alice applied\nother: nothing was applied\n' +
        'released api: the next registration from code wins\n',
    )
    await busbar.provider('api', { slowMs: 300 })
    expect(provider.settings.slowMs).toBe(300)
    const again = await fleet.run(['apply', '--release', '--yes'])
    expect(again).toMatchObject({ code: 0, stdout: 'nothing to release\n' })
    expect((await fleet.run(['apply', '--release', 'apj', '--yes'])).code).toBe(3)
  })

  it('outranks code also after Redis lost everything, where a process lives that knew', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const fleet = await cliFleet(server.url)
    const provider = await fleet.busbar.provider('api', { slowMs: 100 })
    await fleet.busbar.apply('api', { slowMs: 200 }, { actor: 'alice' })
    const redis = new Redis(server.url)
    onTestFinished(() => redis.disconnect())
    await redis.flushall()
    await provider.snapshot()
    await fleet.busbar.provider('api', { slowMs: 300 })
    expect(provider.settings.slowMs).toBe(200)
    expect(provider.settingsOrigin).toMatchObject({ setBy: 'alice', pinned: true })
  })

  it('says when there is nothing to change, and asks for nothing then', async () => {
    const fleet = await cliFleet()
    await fleet.busbar.provider('api', { slowMs: 100 })
    const input = 'providers: { api: { slowMs: 100 } }'
    const first = await fleet.run(['apply', '-f', '-', '--yes', '--actor', 'alice'], { input })
    expect(first.stdout).toMatch(
      /^api: the settings that worker-1 set; they will outrank code\napplied api\n/,
    )
    const second = await fleet.run(['apply', '-f', '-'], { input })
    expect(second).toMatchObject({
      code: 0,
      stdout: 'api: nothing to change; alice applied these\nnothing to change\n',
    })
  })

  it('tells a program what it plans and what it did', async () => {
    const fleet = await cliFleet()
    await fleet.busbar.provider('api', { slowMs: 100 })
    fleet.file('providers: { api: { slowMs: 200 } }')
    const dry = await fleet.json(['apply', '-f', 'fleet.yaml', '--dry-run'])
    const plan = {
      id: 'api',
      setBy: 'worker-1',
      pinned: false,
      changes: [{ path: 'slowMs', from: '100', to: '200' }],
    }
    expect(dry).toEqual({ code: 0, value: { apply: [plan], done: [] } })
    const done = await fleet.json(['apply', '-f', 'fleet.yaml', '--yes'])
    expect(done).toEqual({ code: 0, value: { apply: [plan], done: ['api'] } })
    const released = await fleet.json(['apply', '--release', '--yes'])
    expect(released).toEqual({ code: 0, value: { release: [{ id: 'api' }], done: ['api'] } })
  })

  it('takes times as people write them, in every setting in ms and nowhere else', async () => {
    const fleet = await cliFleet()
    fleet.file(`
defaults: { history: { windowMs: 1.5m } }
providers:
  api:
    breaker: { cooldownMs: 30s, maxCooldownMs: 1h, trialLeaseMs: 1.1s }
    slowMs: 250ms
    probe: { kind: heartbeat, ttlMs: 2m, stallMs: 1d, intervalMs: 500ms }
  web:
    probe: { kind: http, url: 'http://a.test/', intervalMs: 5000, headers: { x-waitMs: 30s } }
`)
    expect((await fleet.run(['apply', '-f', 'fleet.yaml', '--yes'])).code).toBe(0)
    const [api, web] = [await fleet.busbar.lookup('api'), await fleet.busbar.lookup('web')]
    expect(api?.settings).toMatchObject({
      breaker: { cooldownMs: 30_000, maxCooldownMs: 3_600_000, trialLeaseMs: 1_100 },
      history: { windowMs: 90_000 },
      slowMs: 250,
      probe: { ttlMs: 120_000, stallMs: 86_400_000, intervalMs: 500 },
    })
    expect(web?.settings.probe).toMatchObject({ intervalMs: 5_000, headers: { 'x-waitMs': '30s' } })
  })

  it('reads a file from Windows: a byte order mark, other ends of lines, UTF-16', async () => {
    const fleet = await cliFleet()
    const yaml = 'providers:\n  api:\n    slowMs: 30s\n'
    const windows = `\ufeff${yaml.replaceAll('\n', '\r\n')}`
    for (const content of [
      windows,
      Buffer.from(windows, 'utf16le'),
      Buffer.from(windows, 'utf16le').swap16(),
    ]) {
      writeFileSync(join(fleet.folder, 'w.yaml'), content)
      const { code, stdout } = await fleet.run(['apply', '-f', 'w.yaml', '--dry-run'])
      expect([code, stdout]).toEqual([0, 'api: new, with the defaults but for\n  slowMs  - -> 30000\n'])
    }
    writeFileSync(join(fleet.folder, 'w.yaml'), Buffer.from([0x61, 0x3a, 0xff]))
    const result = await fleet.run(['apply', '-f', 'w.yaml', '--dry-run'])
    expect(result.code).toBe(64)
    expectOneLine(result, /^busbar: w\.yaml cannot be read: .*not valid for encoding utf-8$/m)
  })

  it('applies all or nothing of a file that has a mistake in it', async () => {
    const fleet = await cliFleet()
    fleet.file('providers: { good: { slowMs: 1 }, bad: { slowMs: 0 } }')
    const result = await fleet.run(['apply', '-f', 'fleet.yaml', '--yes'])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(await fleet.busbar.providers()).toEqual([])
  })

  it('keeps references to secrets in Redis, and shows neither their values nor literal ones', async () => {
    const fleet = await cliFleet()
    const redis = new Redis(redisUrl())
    onTestFinished(() => redis.disconnect())
    const headers = (key: string) =>
      `providers: { api: { probe: { kind: http, url: 'http://127.0.0.1:1/', headers: { authorization: 'Bearer \${env:API_KEY}', x-key: ${key} } } } }`
    const env = { API_KEY: 's3cret' }
    const first = await fleet.run(['apply', '-f', '-', '--yes'], { input: headers('literal-one'), env })
    const second = await fleet.run(['apply', '-f', '-', '--yes'], { input: headers('literal-two'), env })
    expect(first.stdout).toMatch(/^ {2}probe\.headers\.authorization +- -> "Bearer \$\{env:API_KEY\}"$/m)
    expect(first.stdout).toMatch(/^ {2}probe\.headers\.x-key +- -> "\*\*\*"$/m)
    expect(second.stdout).toContain('  probe.headers.x-key  "***" -> "***" (another value)\n')
    expect(await redis.hget(`${fleet.namespace}:{api}:config`, 'probe')).toContain('Bearer ${env:API_KEY}')
    const shown = [first.stdout, second.stdout]
    for (const call of [['status'], ['explain', 'api'], ['events'], ['doctor']]) {
      shown.push(
        (await fleet.run(call, { env })).stdout,
        (await fleet.run([...call, '--json'], { env })).stdout,
      )
    }
    for (const text of shown) expect(text).not.toMatch(/s3cret|literal-/)
  })
})
